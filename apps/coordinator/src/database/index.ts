export * from './batcher.js';
export * from './data-source.js';
export * from './database.module.js';
export * from './embedded-postgres.js';
export * from './entities.js';
export * from './pg-array.js';
export * from './prepared-statement.js';
export * from './unique-violation.js';
