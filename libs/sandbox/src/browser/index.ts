/** Running admitted modules in browsers: one Web Worker per core, with the results of `@gleaner/sandbox/runner`. */
export { sha256HexOf } from '../runner/sha256.js';
export type * from '../runner/types.js';
export { seedOfUnit, type SeedParts } from '../runner/unit-seed.js';
export { SandboxWorker, type SandboxWorkerOptions } from './sandbox-worker.js';
