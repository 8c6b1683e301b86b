export * from './dispatch/index.js';
export * from './idle/index.js';
export * from './merging/index.js';
export * from './splitting/index.js';
export * from './swarm/index.js';
export * from './trust/index.js';
export * from './units/index.js';
export * from './worker/index.js';
