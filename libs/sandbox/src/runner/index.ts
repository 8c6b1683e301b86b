/** Running admitted modules in Node: one child process per core. Browsers: `@gleaner/sandbox/browser`. */
export { InProcessRunner, type InProcessUnit } from './in-process-runner.js';
export { SandboxProcess, type SandboxProcessOptions } from './sandbox-process.js';
export { seedOfUnit, type SeedParts } from './unit-seed.js';
export type { RootEntry } from '../wasi/wasi-host.js';
export type * from './types.js';
