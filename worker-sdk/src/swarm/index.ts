export { DEFAULT_SWARM_PREFERENCES, type SwarmPreferences, type SwarmStatus } from './swarm-preferences.js';
export { VolunteerSwarm, type VolunteerSwarmComponents } from './volunteer-swarm.js';
