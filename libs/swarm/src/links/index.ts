export { duplexLink, memoryLinkPair } from './duplex-link.js';
export type { Link, Transport, TransportEvents } from './link.js';
export { LinkEndedError, LinkReader } from './link-reader.js';
