export { keepOutOfTeam } from './claimed-work.js';
export { JOINS_PER_HOUR } from './join-pace.js';
export { TeamsModule } from './teams.module.js';
export { TeamsService } from './teams.service.js';
