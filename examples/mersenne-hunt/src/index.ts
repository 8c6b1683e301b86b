import { fileURLToPath } from 'node:url';

/** Path of the compiled app; `node examples/build.mjs` makes it. */
export const MERSENNE_HUNT_WASM_PATH = fileURLToPath(new URL('../build/mersenne-hunt.wasm', import.meta.url));
