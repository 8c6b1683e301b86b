export { ChunkDamagedError, ChunkData } from './chunk-data.js';
export { ChunkFile } from './chunk-file.js';
export {
  ChunkStore,
  StoreFullError,
  type ChunkClaim,
  type ChunkStoreInit,
  type ClaimOptions,
} from './chunk-store.js';
export type { EvictionCandidate, EvictionPolicy } from './eviction.js';
