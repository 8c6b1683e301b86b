export * from './check-job-spec.js';
export * from './estimate-units.js';
export * from './memory-inputs.js';
export * from './placeholders.js';
export * from './split-types.js';
export * from './split-units.js';
