export * from './backoff-delay.js';
export * from './fair-share.js';
export * from './lanes.js';
export * from './unit-class.js';
