import { fileURLToPath } from 'node:url';

/** Path of the compiled app, which is part of the repository. */
export const MUTATION_MAP_WASM_PATH = fileURLToPath(new URL('../mutation-map.wasm', import.meta.url));
