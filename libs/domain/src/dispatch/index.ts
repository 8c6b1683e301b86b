export * from './backoff-delay.js';
export * from './calling-times.js';
export * from './class-turns.js';
export * from './fair-share.js';
export * from './host-speed.js';
export * from './lanes.js';
export * from './queue-depth.js';
export * from './unit-class.js';
