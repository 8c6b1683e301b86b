export { BoardKeeper } from './board-keeper.service.js';
export { StatsModule } from './stats.module.js';
