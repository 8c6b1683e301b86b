export { ChunkDamagedError, ChunkData } from './chunk-data.js';
export { ChunkFile } from './chunk-file.js';
export {
  ChunkStore,
  StoreFullError,
  type ChunkClaim,
  type ChunkStoreInit,
  type ClaimOptions,
} from './chunk-store.js';
export { PROMISED_SHARE, type EvictionCandidate, type EvictionPolicy } from './eviction.js';
