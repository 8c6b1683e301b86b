export { AppsModule } from './apps.module.js';
