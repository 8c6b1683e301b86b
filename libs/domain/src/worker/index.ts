export * from './work-buffer.js';
