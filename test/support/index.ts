export * from './application.js';
export * from './database.js';
export * from './free-port.js';
export * from './redis-server.js';
export * from './clients.js';
