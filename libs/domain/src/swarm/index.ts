export * from './bad-peers.js';
export * from './choose-peers.js';
export * from './chunk-copies.js';
export * from './count-savings.js';
export * from './held-chunks.js';
export * from './origin-grants.js';
export * from './plan-replicas.js';
export * from './prefer-held.js';
