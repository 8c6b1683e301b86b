/** What both halves share and needs no particular surroundings. */
export { ABI, RUNTIME_VERSION, STOP } from './abi.js';
export { sha256HexOf } from './runner/sha256.js';
export { seedOfUnit, type SeedParts } from './runner/unit-seed.js';
export type * from './runner/types.js';
