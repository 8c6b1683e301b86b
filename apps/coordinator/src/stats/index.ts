export { BoardKeeper } from './board-keeper.service.js';
export { BoardRebuild } from './board-rebuild.service.js';
export { PagePreviews } from './page-previews.service.js';
export { StatisticsKeeper } from './statistics-keeper.service.js';
export { StatsModule } from './stats.module.js';
