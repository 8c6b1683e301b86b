export * from './backoff-delay.js';
export * from './work-buffer.js';
