export { findWebsite, serveWebsite, WEBSITE_ROUTE } from './serve-website.js';
