export * from './share-cores.js';
export * from './work-buffer.js';
