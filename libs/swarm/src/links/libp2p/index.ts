export { createLibp2pTransport, SWAP_PROTOCOL, type Libp2pTransportInit } from './libp2p-transport.js';
