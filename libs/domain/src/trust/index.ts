export * from './allowance.js';
export * from './counted-cores.js';
export * from './earns-credit.js';
export * from './hold-reason.js';
export * from './lacking-scopes.js';
export * from './network-prefix.js';
export * from './no-work.js';
export * from './tasks-in-progress.js';
