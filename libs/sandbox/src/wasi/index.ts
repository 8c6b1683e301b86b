export { sourceOfPieces, type ByteSource } from './byte-source.js';
export { StopUnit, type StopReason } from './stop-unit.js';
export { WasiHost, type HostInit, type RootEntry } from './wasi-host.js';
