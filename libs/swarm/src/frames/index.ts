export * from './encode-frame.js';
export * from './frame.js';
export * from './frame-decoder.js';
