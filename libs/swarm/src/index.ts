export * from './blob-windows.js';
export * from './chunk-source.js';
export * from './chunk-supply.js';
export * from './content-cache.js';
export * from './http-origin-source.js';
export { sha256Hex } from './sha256.js';
