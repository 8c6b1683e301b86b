export * from './app.module.js';
export * from './config/index.js';
export * from './coordinator.js';
export * from './create-application.js';
export * from './database/index.js';
export * from './http/index.js';
export * from './telemetry/index.js';
