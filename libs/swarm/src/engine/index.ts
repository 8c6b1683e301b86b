export { Bitmap } from './bitmap.js';
export { chooseRarestChunks } from './choose-chunk.js';
export { chooseUploadSlots, type ChosenSlots, type SlotCandidate, type SlotRules } from './choose-slots.js';
export { DEFAULT_SWAP_CONFIG, type SwapConfig } from './swap-config.js';
export { SwapEngine, type PeerSummary, type SwapEngineInit } from './swap-engine.js';
export type {
  AuthorizePeer,
  DisconnectReason,
  FileInit,
  OriginRefusal,
  SwapAction,
  SwapEvent,
} from './swap-events.js';
