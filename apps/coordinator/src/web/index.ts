export type { PagePreview } from './page-preview.js';
export { serveApiPage } from './serve-api-page.js';
export { decodableUrl, findWebsite, serveWebsite, WEBSITE_ROUTE } from './serve-website.js';
export { writeOnce } from './write-once.js';
