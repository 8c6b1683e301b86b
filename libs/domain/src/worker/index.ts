export * from './share-cores.js';
export * from './work-buffer.js';
export * from './wishes-version.js';
