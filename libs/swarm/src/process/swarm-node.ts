import { createHash } from 'node:crypto';
import {
  manifestBytes,
  SWARM_LIMITS,
  type Manifest,
  type SignedCertificate,
  type SignedTicket,
} from '@gleaner/protocol';
import type { KeyObject } from 'node:crypto';
import {
  createPeerRecord,
  encodePeerRecord,
  encodeTicket,
  judgeTicket,
  type PeerIdentity,
  type TrustRoot,
} from '../auth/index.js';
import type { BlobLocation } from '../chunk-source.js';
import {
  Bitmap,
  SwapEngine,
  type PeerSummary,
  type SwapAction,
  type SwapConfig,
  type SwapEvent,
} from '../engine/index.js';
import type { Transport, TransportEvents } from '../links/index.js';
import { StoreFullError, type ChunkFile, type ChunkStore } from '../store/index.js';
import { ChunkCache } from './chunk-cache.js';
import { PeerDirectory } from './peer-directory.js';
import { PeerLinks } from './peer-links.js';
import type { SwarmCoordinator } from './swarm-coordinator.js';

const TICK_MS = 100;
const FLUSH_MS = 5000;
const CACHE_BYTES = 32 * 1024 * 1024;
const FIRST_ANNOUNCE_RETRY_MS = 1000;
/** An origin that cannot be reached is asked again after this, in milliseconds. */
const ORIGIN_AWAY_MS = 2000;

export interface SwarmNodeInit {
  readonly identity: PeerIdentity;
  readonly certificate: SignedCertificate;
  readonly coordinatorKey: KeyObject;
  readonly store: ChunkStore;
  readonly openTransport: (events: TransportEvents) => Promise<Transport>;
  /** Left out: known peers and the local network are all there is. */
  readonly coordinator?: SwarmCoordinator;
  readonly config?: Partial<SwapConfig>;
  readonly log?: (event: string, fields: Readonly<Record<string, string | number>>) => void;
}

/** A file to share. */
export interface JoinRequest {
  readonly location: BlobLocation;
  readonly manifest: Manifest;
  readonly ticket: SignedTicket;
}

/** Bytes since the start, and who is connected. */
export interface SwarmProgress {
  readonly bytesFromPeers: number;
  readonly bytesFromOrigin: number;
  readonly bytesToPeers: number;
  readonly wastedBytes: number;
  readonly bannedPeers: readonly string[];
  readonly peers: readonly PeerSummary[];
}

interface SharedFile extends JoinRequest {
  readonly file: ChunkFile;
  readonly listeners: Set<(chunk: number | Error) => void>;
  readonly stop: AbortController;
}

/** A host in the swarm: the engine's decisions carried out on links, the store and the coordinator. */
export class SwarmNode {
  readonly #engine: SwapEngine;
  readonly #files = new Map<string, SharedFile>();
  readonly #cache = new ChunkCache(CACHE_BYTES);
  readonly #revoked = new Set<string>();
  readonly #trust: TrustRoot;
  readonly #stop = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #links: PeerLinks;
  readonly #directory: PeerDirectory;
  #bytesFromPeers = 0;
  #bytesFromOrigin = 0;
  #bytesToPeers = 0;

  private constructor(private readonly init: SwarmNodeInit) {
    this.#trust = {
      coordinatorKey: init.coordinatorKey,
      isRevoked: (serial) => this.#revoked.has(serial),
      now: Date.now,
    };
    this.#engine = new SwapEngine({
      authorize: (peer, manifestId, ticket) => {
        const untilMs = judgeTicket(ticket, peer, manifestId, this.#trust);
        // The engine's clock is monotonic; a ticket's is the calendar's.
        return untilMs === undefined ? undefined : performance.now() + (untilMs - Date.now());
      },
      random: Math.random,
      nowMs: performance.now(),
      ...(init.config && { config: init.config }),
    });
    this.#links = new PeerLinks({
      identity: init.identity,
      certificate: init.certificate,
      trust: this.#trust,
      openTransport: init.openTransport,
      onConnected: (peer) => {
        const record = this.#directory.recordOf(peer);
        this.#tell({ kind: 'peer-connected', peer, ...(record && { record }) });
      },
      onDisconnected: (peer) => this.#tell({ kind: 'peer-disconnected', peer }),
      onFrame: (peer, frame) => this.#tell({ kind: 'frame', peer, frame }),
      onFlushed: (peer, bytes) => {
        this.#bytesToPeers += bytes;
        this.#tell({ kind: 'flushed', peer, bytes });
      },
      readChunk: (manifestId, chunk) => this.#readChunk(manifestId, chunk),
      onDiscovered: (peerId, addresses) => this.#directory.learnAddresses(peerId, addresses),
      log: (event, fields) => init.log?.(event, fields),
    });
    this.#directory = new PeerDirectory(this.#trust, init.identity.peerId, (peerId, addresses) => {
      if (this.#files.size > 0) void this.#links.dial(peerId, addresses);
    });
  }

  static async start(init: SwarmNodeInit): Promise<SwarmNode> {
    const node = new SwarmNode(init);
    await node.#links.open();
    node.#timers.push(
      setInterval(() => node.#tick(), TICK_MS),
      setInterval(
        () => void init.store.flush().catch((error: unknown) => node.#warn('flush-failed', error)),
        FLUSH_MS,
      ),
    );
    return node;
  }

  get addresses(): readonly string[] {
    return this.#links.addresses;
  }

  /**
   * Shares a file, or renews its ticket.
   *
   * @throws {RangeError} when the manifest is not the one that the location names
   */
  async join(request: JoinRequest): Promise<void> {
    const { manifestId } = request.location;
    const joined = this.#files.get(manifestId);
    if (joined) {
      this.#tell({ kind: 'ticket-renewed', manifestId, ticket: encodeTicket(request.ticket) });
      return;
    }
    const { manifest } = request;
    if (createHash('sha256').update(manifestBytes(manifest)).digest('hex') !== manifestId) {
      throw new RangeError(`the manifest is not ${manifestId}`);
    }
    const file = await this.init.store.openFile(manifestId, manifest);
    const shared: SharedFile = { ...request, file, listeners: new Set(), stop: new AbortController() };
    this.#files.set(manifestId, shared);
    this.#tell({
      kind: 'file-added',
      file: {
        manifestId,
        sizeBytes: manifest.size,
        chunkBytes: manifest.chunk,
        chunkCount: manifest.hashes.length,
        have: file.have,
        ticket: encodeTicket(request.ticket),
      },
    });
    void this.#announceRepeatedly(shared, AbortSignal.any([shared.stop.signal, this.#stop.signal]));
    this.#directory.suggestAll();
  }

  /** Stops sharing a file; what is stored stays until it is evicted. */
  leave(manifestId: string): void {
    const shared = this.#files.get(manifestId);
    if (!shared) return;
    this.#files.delete(manifestId);
    shared.stop.abort();
    for (const listener of shared.listeners) listener(new Error(`left the swarm of ${manifestId}`));
    this.#tell({ kind: 'file-removed', manifestId });
    this.init.coordinator
      ?.announce(this.#announcement(shared, true), this.#stop.signal)
      .catch((error: unknown) => this.#warn('announce-failed', error));
  }

  /**
   * Fetches chunks of a joined file and yields each as soon as it is in the store.
   *
   * @throws {StoreFullError} when files of open tasks leave no room
   */
  async *fetch(manifestId: string, indices: Iterable<number>, signal: AbortSignal): AsyncGenerator<number> {
    const shared = this.#files.get(manifestId);
    if (!shared) throw new RangeError(`join ${manifestId} before fetching from it`);
    const chunks = [...indices];
    const unpin = this.init.store.pin(manifestId);
    const stored: Array<number | Error> = chunks.filter((chunk) => shared.file.have.has(chunk));
    const awaited = new Set(chunks.filter((chunk) => !shared.file.have.has(chunk)));
    let wake: () => void = () => undefined;
    const listener = (chunk: number | Error): void => {
      if (typeof chunk === 'number' && !awaited.delete(chunk)) return;
      stored.push(chunk);
      wake();
    };
    const onAbort = (): void => wake();
    shared.listeners.add(listener);
    signal.addEventListener('abort', onAbort);
    this.#tell({ kind: 'wanted', manifestId, chunks });
    try {
      for (;;) {
        signal.throwIfAborted();
        const next = stored.shift();
        if (next instanceof Error) throw next;
        if (next !== undefined) yield next;
        else if (awaited.size === 0) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      shared.listeners.delete(listener);
      signal.removeEventListener('abort', onAbort);
      this.#tell({ kind: 'unwanted', manifestId, chunks });
      unpin();
    }
  }

  /** The file that holds a joined file's chunks, each at its own offset. */
  dataPath(manifestId: string): string | undefined {
    return this.#files.get(manifestId)?.file.dataPath;
  }

  /** Bytes per second; infinite for none. */
  limit(limits: { readonly uploadBytesPerSecond: number; readonly downloadBytesPerSecond: number }): void {
    this.#tell({ kind: 'limits-changed', ...limits });
  }

  progress(): SwarmProgress {
    return {
      bytesFromPeers: this.#bytesFromPeers,
      bytesFromOrigin: this.#bytesFromOrigin,
      bytesToPeers: this.#bytesToPeers,
      wastedBytes: this.#engine.wastedBytes,
      bannedPeers: this.#links.bannedPeers,
      peers: this.#engine.peers(performance.now()),
    };
  }

  /** Leaves everything and closes links and store; closing twice is safe. */
  async close(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const { listeners } of this.#files.values()) {
      for (const listener of listeners) listener(new Error('the swarm node is closing'));
    }
    this.#stop.abort();
    await this.#links.close();
    await this.init.store.close();
  }

  #tick(): void {
    this.#links.dropExpired();
    this.#tell({ kind: 'tick' });
  }

  #tell(event: SwapEvent): void {
    for (const action of this.#engine.handle(event, performance.now())) this.#act(action);
  }

  #act(action: SwapAction): void {
    switch (action.kind) {
      case 'send':
      case 'upload':
        this.#links.enqueue(action);
        return;
      case 'check':
        void this.#check(action);
        return;
      case 'origin-ask':
        void this.#askOrigin(action);
        return;
      case 'origin-fetch':
        void this.#fetchFromOrigin(action.manifestId, action.chunk);
        return;
      case 'disconnect':
        this.init.log?.('peer-disconnected', { peer: action.peer, reason: action.reason });
        this.#links.disconnect(action.peer, action.reason, action.ban);
        return;
      case 'peers-learned':
        for (const record of action.records) this.#directory.learn(record);
    }
  }

  async #check(action: Extract<SwapAction, { kind: 'check' }>): Promise<void> {
    const { manifestId, chunk, peer, bytes } = action;
    const shared = this.#files.get(manifestId);
    if (!shared) return;
    let verdict: 'good' | 'bad' | 'not-stored' = 'bad';
    if (createHash('sha256').update(bytes).digest('hex') === shared.manifest.hashes[chunk]) {
      verdict = (await this.#store(shared, chunk, bytes)) ? 'good' : 'not-stored';
      this.#bytesFromPeers += bytes.length;
    }
    this.#tell({ kind: 'checked', manifestId, chunk, peer, verdict });
    if (verdict === 'good') for (const listener of shared.listeners) listener(chunk);
  }

  async #askOrigin(action: Extract<SwapAction, { kind: 'origin-ask' }>): Promise<void> {
    const { manifestId, wanted, count, urgent } = action;
    const away = { chunks: [], otherwise: 'away' as const, retryAfterMs: ORIGIN_AWAY_MS };
    const answer = await this.init.coordinator
      ?.requestOriginTickets(
        {
          manifestId,
          peerId: this.init.identity.peerId,
          wanted: Buffer.from(wanted.bytes).toString('base64'),
          count: Math.min(count, SWARM_LIMITS.originTicketsPerCall),
          urgent,
        },
        this.#stop.signal,
      )
      .catch((error: unknown) => this.#warn('origin-tickets-failed', error));
    this.#tell({ kind: 'origin-granted', manifestId, ...(answer ?? away) });
  }

  async #fetchFromOrigin(manifestId: string, chunk: number): Promise<void> {
    const shared = this.#files.get(manifestId);
    if (!shared) return;
    const signal = AbortSignal.any([shared.stop.signal, this.#stop.signal]);
    const bytes = await this.init.coordinator
      ?.fetchChunk(shared.location, shared.manifest, chunk, signal)
      .catch((error: unknown) => this.#warn('origin-fetch-failed', error));
    const isStored = bytes !== undefined && (await this.#store(shared, chunk, bytes));
    this.#bytesFromOrigin += bytes?.length ?? 0;
    this.#tell({ kind: 'origin-fetched', manifestId, chunk, isStored });
    if (isStored) for (const listener of shared.listeners) listener(chunk);
  }

  async #store(shared: SharedFile, chunk: number, bytes: Uint8Array): Promise<boolean> {
    const { manifestId } = shared.location;
    try {
      await this.init.store.write(manifestId, chunk, bytes);
      this.#cache.put(`${manifestId}/${chunk}`, Promise.resolve(bytes), bytes.length);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      this.#warn(reason instanceof StoreFullError ? 'store-full' : 'store-failed', reason);
      for (const listener of shared.listeners) listener(reason);
      return false;
    }
  }

  #readChunk(manifestId: string, chunk: number): Promise<Uint8Array> {
    const key = `${manifestId}/${chunk}`;
    const cached = this.#cache.get(key);
    if (cached) return cached;
    const shared = this.#files.get(manifestId);
    if (!shared) return Promise.reject(new RangeError(`${manifestId} is not shared`));
    const bytes = shared.file.read(chunk);
    this.#cache.put(key, bytes, shared.file.chunkLength(chunk));
    // Whoever waits for it sees the error; it must not be served from the cache again.
    bytes.catch(() => this.#cache.delete(key));
    return bytes;
  }

  async #announceRepeatedly(shared: SharedFile, signal: AbortSignal): Promise<void> {
    while (this.init.coordinator && !signal.aborted) {
      const answer = await this.init.coordinator
        .announce(this.#announcement(shared, false), signal)
        .catch((error: unknown) => this.#warn('announce-failed', error));
      for (const serial of answer?.revoked ?? []) this.#revoked.add(serial);
      for (const record of answer?.peers ?? []) this.#directory.learn(encodePeerRecord(record));
      await waitMs(answer?.intervalMs ?? FIRST_ANNOUNCE_RETRY_MS, signal);
    }
  }

  #announcement(shared: SharedFile, isLeaving: boolean) {
    const { identity, certificate } = this.init;
    return {
      manifestId: shared.location.manifestId,
      record: createPeerRecord(identity, certificate, this.addresses, Date.now()),
      have: Buffer.from(new Bitmap(shared.file.have.count, shared.file.have.bytes).bytes).toString('base64'),
      isLeaving,
      badPeers: this.#links.bannedPeers.slice(-SWARM_LIMITS.reportsPerAnnounce),
    };
  }

  #warn(event: string, error: unknown): undefined {
    if (!this.#stop.signal.aborted) {
      this.init.log?.(event, { reason: error instanceof Error ? error.message : String(error) });
    }
    return undefined;
  }
}

/** Resolves after the delay or when the signal aborts, whichever comes first. */
async function waitMs(delayMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, delayMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
