export { ChunkDamagedError, ChunkFile } from './chunk-file.js';
export {
  ChunkStore,
  StoreFullError,
  type ChunkStoreInit,
  type EvictionCandidate,
  type EvictionPolicy,
} from './chunk-store.js';
