import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { mdns } from '@libp2p/mdns';
import { noise } from '@libp2p/noise';
import { tcp, type TCPOptions } from '@libp2p/tcp';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { keyOfPeerId, type PeerIdentity } from '../../auth/peer-identity.js';
import type { Transport, TransportEvents } from '../link.js';
import { libp2pLink } from './libp2p-link.js';
import { noiseCrypto } from './noise-crypto.js';
import { MAX_PENDING_CONNECTIONS, SwapConnections } from './swap-connections.js';

/** The libp2p protocol that carries `/gleaner/auth/2` and then frames. */
export const SWAP_PROTOCOL = '/gleaner/swap/1';
const MAX_CONNECTIONS = 200;
/** Many volunteers may share one address: a campus behind one NAT. libp2p's own limit is 5 a second. */
const INBOUND_CONNECTIONS_PER_SECOND = 100;
/** Frames arrive while others wait: a fast peer's window, doubled. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const MAX_STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
/** A link is one stream; two sides that dial at once have two for a moment. Strangers must not open a thousand. */
const MUXER_LIMITS = { maxInboundStreams: 4, maxOutboundStreams: 4, maxEarlyStreams: 2 };
/** Until somebody answers at an address at all. */
const CONNECT_TIMEOUT_MS = 4000;
/** Until connection and encryption are agreed on: far more than it takes, as dozens may begin at once. */
const UPGRADE_TIMEOUT_MS = 15_000;
/** Links idle when everybody has everything; the swarm itself decides when they end. */
const NEVER_INACTIVE_MS = 2 ** 31 - 1;

export interface Libp2pTransportInit extends TransportEvents {
  readonly identity: PeerIdentity;
  /** Multiaddresses to listen on, only interfaces that the volunteer allows; TCP (`/ip4/…/tcp/0`) or WebSocket (`…/ws`). */
  readonly listen: readonly string[];
  /** The address that dialled links start from: others see no other. Addresses of the other family are not dialled. */
  readonly dialFrom?: string;
  /** Peers of one coordinator find each other on the local network under this name; no mDNS when left out. */
  readonly mdnsServiceTag?: string;
  /** A connection without a link ends after this; 15,000 when left out. */
  readonly unusedConnectionMs?: number;
}

/** Options of dialled sockets: Node takes them at `net.connect`, for which they are meant. */
function tcpOptions(localAddress: string | undefined): TCPOptions {
  // The limit is for connecting: libp2p sets another once that is done.
  const dialOpts: TCPOptions['dialOpts'] & { readonly localAddress?: string; readonly timeout: number } = {
    timeout: CONNECT_TIMEOUT_MS,
    ...(localAddress !== undefined && { localAddress }),
  };
  return { dialOpts };
}

/** A socket that is bound to an address cannot reach the other family. */
function otherThan(localAddress: string): (address: Multiaddr) => boolean {
  const wanted = localAddress.includes(':') ? '/ip6/' : '/ip4/';
  return (address) => !address.toString().startsWith(wanted);
}

/** TCP and WebSockets with Noise and yamux, and mDNS. No identify protocol: peers learn no address from it. */
export async function createLibp2pTransport(init: Libp2pTransportInit): Promise<Transport> {
  const { x } = keyOfPeerId(init.identity.peerId).export({ format: 'jwk' });
  const streamOptions = {
    initialStreamWindowSize: STREAM_WINDOW_BYTES,
    maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES,
    inactivityTimeout: NEVER_INACTIVE_MS,
    // What may come while the reader pauses.
    maxReadBufferLength: MAX_STREAM_WINDOW_BYTES + STREAM_WINDOW_BYTES,
  };
  const connections = new SwapConnections(init.unusedConnectionMs);
  const node = await createLibp2p({
    privateKey: privateKeyFromRaw(Buffer.concat([init.identity.seed, Buffer.from(x ?? '', 'base64url')])),
    addresses: { listen: [...init.listen] },
    transports: [tcp(tcpOptions(init.dialFrom)), ...(init.dialFrom === undefined ? [webSockets()] : [])],
    connectionGater: {
      ...(init.dialFrom !== undefined && { denyDialMultiaddr: otherThan(init.dialFrom) }),
      denyInboundConnection: (connection) => connections.isCrowded(connection),
      denyInboundEncryptedConnection: (peerId) => init.isWelcome?.(peerId.toString()) === false,
    },
    connectionEncrypters: [noise({ crypto: noiseCrypto })],
    streamMuxers: [yamux({ streamOptions, ...MUXER_LIMITS })],
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND,
      maxIncomingPendingConnections: MAX_PENDING_CONNECTIONS,
      addressDialTimeout: UPGRADE_TIMEOUT_MS,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
      reconnectRetries: 0,
    },
    connectionMonitor: { enabled: false },
    ...(init.mdnsServiceTag !== undefined && {
      peerDiscovery: [mdns({ serviceTag: init.mdnsServiceTag })],
    }),
  });
  node.addEventListener('connection:open', ({ detail }) => connections.opened(detail));
  node.addEventListener('connection:close', ({ detail }) => connections.closed(detail));
  node.addEventListener('peer:discovery', ({ detail }) => {
    init.onDiscovered(
      detail.id.toString(),
      detail.multiaddrs.map((address) => address.toString()),
    );
  });
  await node.handle(
    SWAP_PROTOCOL,
    (stream, connection) => {
      connections.carry(connection, stream);
      init.onLink(libp2pLink(stream, connection.remotePeer.toString(), connection.remoteAddr.toString()));
    },
    { maxInboundStreams: 4, maxOutboundStreams: 4 },
  );
  return {
    get addresses() {
      return node.getMultiaddrs().map((address) => address.toString());
    },
    async dial(address, signal, peerId) {
      // An address may name a peer itself: who is wanted counts.
      const target = peerId === undefined ? address : `${address.replace(/\/p2p\/.*$/, '')}/p2p/${peerId}`;
      const connection = await node.dial(multiaddr(target), { signal });
      const stream = await connection.newStream(SWAP_PROTOCOL, { signal, maxOutboundStreams: 4 });
      connections.carry(connection, stream);
      return libp2pLink(stream, connection.remotePeer.toString(), connection.remoteAddr.toString());
    },
    async close() {
      connections.close();
      await node.stop();
    },
  };
}
