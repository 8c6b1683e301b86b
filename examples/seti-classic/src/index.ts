import { fileURLToPath } from 'node:url';

export * from './chirp-grid.js';
export * from './example-tape.js';
export * from './generate-tape.js';
export * from './job-file.js';
export * from './match-signals.js';
export * from './random-source.js';
export * from './sah-file.js';
export * from './spike.js';
export { chooseTones, type InjectedTone, type Tone } from './tone.js';

/** Path of the compiled app; `node examples/build.mjs` makes it. */
export const SETI_CLASSIC_WASM_PATH = fileURLToPath(new URL('../build/seti-classic.wasm', import.meta.url));
