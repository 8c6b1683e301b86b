export * from './merge-error.js';
export * from './merge-outputs.js';
export * from './run-store.js';
