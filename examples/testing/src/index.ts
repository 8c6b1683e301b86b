export * from './build-examples.js';
export * from './example-app.js';
export * from './shared-data.js';
