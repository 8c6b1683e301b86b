export { ChunkDamagedError, ChunkData } from './chunk-data.js';
export { ChunkFile } from './chunk-file.js';
export {
  ChunkStore,
  StoreFullError,
  type ChunkClaim,
  type ChunkStoreInit,
  type ClaimOptions,
  type EvictionCandidate,
  type EvictionPolicy,
} from './chunk-store.js';
