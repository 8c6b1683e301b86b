import type { Frame } from '../frames/frame.js';
import { Channels } from './channels.js';
import { Downloads } from './downloads.js';
import { Files } from './files.js';
import { OriginPlan } from './origin-plan.js';
import { PeerExchange } from './peer-exchange.js';
import { DEFAULT_SWAP_CONFIG, type SwapConfig } from './swap-config.js';
import type { AuthorizePeer, SwapAction, SwapEvent } from './swap-events.js';
import { newPeerState, SwapState, type PeerState } from './swap-state.js';
import { Uploads } from './uploads.js';

/** Signatures to be verified, or all chunks of a file to be counted. */
const COSTLY_FRAME = 50;

export interface SwapEngineInit {
  readonly authorize: AuthorizePeer;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly nowMs: number;
  /** This host's own signed record, told to every peer; none when left out. */
  readonly ownRecord?: () => Uint8Array;
  /** Memory for a chunk that arrives, which is filled before anybody sees it; fresh when left out. */
  readonly allocate?: (lengthBytes: number) => Uint8Array;
  readonly config?: Partial<SwapConfig>;
}

/** What the engine knows about one peer. Rates in bytes per second. */
export interface PeerSummary {
  readonly peer: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly receivedPerSecond: number;
  readonly sentPerSecond: number;
}

/**
 * Decides what a host asks of whom and whom it serves. Pure: it is told events with their time and answers with actions; it
 * has no sockets, timers, files or randomness of its own. Call `tick` every 100 ms or so, and every second while it is idle.
 */
export class SwapEngine {
  readonly #state: SwapState;
  readonly #channels: Channels;
  readonly #downloads: Downloads;
  readonly #uploads: Uploads;
  readonly #origin: OriginPlan;
  readonly #exchange: PeerExchange;
  readonly #files: Files;

  constructor(init: SwapEngineInit) {
    const config = { ...DEFAULT_SWAP_CONFIG, ...init.config };
    this.#state = new SwapState(config, init.random, init.authorize, init.nowMs);
    this.#channels = new Channels(this.#state);
    this.#downloads = new Downloads(
      this.#state,
      this.#channels,
      init.allocate ?? ((lengthBytes) => new Uint8Array(lengthBytes)),
    );
    this.#uploads = new Uploads(this.#state);
    this.#origin = new OriginPlan(this.#state, this.#downloads);
    this.#exchange = new PeerExchange(this.#state, init.ownRecord);
    this.#files = new Files(this.#state, {
      channels: this.#channels,
      downloads: this.#downloads,
      uploads: this.#uploads,
      origin: this.#origin,
    });
  }

  /** @throws {RangeError} for a file beyond `maxFiles`, or chunks that a file does not have */
  handle(event: SwapEvent, nowMs: number): readonly SwapAction[] {
    this.#state.actions = [];
    this.#apply(event, nowMs);
    return this.#state.actions;
  }

  /** Whether nobody wants anything of anybody. */
  get isIdle(): boolean {
    return this.#state.isIdle;
  }

  /** Bytes received in vain: duplicates, cancelled chunks, blocks of closed files. */
  get wastedBytes(): number {
    return this.#state.wastedBytes;
  }

  /** Memory held for chunks that arrive or are being checked, in bytes. */
  get bufferedBytes(): number {
    return this.#state.bufferedBytes;
  }

  /** Entries of everything that is remembered of peers and files: bounded, whatever peers say. */
  get heldEntries(): number {
    return this.#state.heldEntries;
  }

  peers(nowMs: number): PeerSummary[] {
    return [...this.#state.peers.values()].map(({ id, received, sent }) => ({
      peer: id,
      receivedBytes: received.total,
      sentBytes: sent.total,
      receivedPerSecond: received.perSecond(nowMs),
      sentPerSecond: sent.perSecond(nowMs),
    }));
  }

  /** Peers that share the file with this host. */
  sharing(manifestId: string): number {
    const file = this.#state.files.get(manifestId);
    let count = 0;
    for (const peer of this.#state.peers.values()) if (file && peer.files.has(file)) count += 1;
    return count;
  }

  /** A peer that wants nothing of this host and has nothing for it. */
  uselessPeer(): string | undefined {
    for (const peer of this.#state.peers.values()) {
      if (![...peer.files.values()].some(({ theyWant, weWant }) => theyWant || weWant)) return peer.id;
    }
    return undefined;
  }

  #apply(event: SwapEvent, nowMs: number): void {
    switch (event.kind) {
      case 'tick':
        this.#tick(nowMs);
        return;
      case 'frame': {
        const peer = this.#state.peers.get(event.peer);
        if (peer) this.#onFrame(peer, event.frame, nowMs);
        return;
      }
      case 'flushed': {
        const peer = this.#state.peers.get(event.peer);
        if (peer) this.#uploads.onFlushed(peer, event.bytes, nowMs);
        this.#uploads.pump(nowMs);
        return;
      }
      case 'checked':
        this.#onChecked(event, nowMs);
        return;
      case 'peer-connected':
        this.#onConnected(event.peer, event.record, nowMs);
        return;
      case 'peer-disconnected':
        this.#onDisconnected(event.peer, nowMs);
        return;
      case 'peer-record': {
        const peer = this.#state.peers.get(event.peer);
        if (peer) peer.record = event.record;
        return;
      }
      case 'file-added':
        this.#files.add(event.file, nowMs);
        return;
      case 'limits-changed':
        this.#uploads.setRate(event.uploadBytesPerSecond, nowMs);
        this.#state.downloadBucket.setRate(event.downloadBytesPerSecond, nowMs);
        return;
      case 'file-removed':
      case 'ticket-renewed':
      case 'wanted':
      case 'unwanted':
      case 'chunk-lost':
      case 'origin-granted':
      case 'origin-fetched': {
        // An answer may come after its file was removed.
        const file = this.#state.files.get(event.manifestId);
        if (file) this.#files.onEvent(file, event, nowMs);
      }
    }
  }

  #onFrame(peer: PeerState, frame: Frame, nowMs: number): void {
    if (frame.type !== 'block' && !peer.controlFrames.take(costOf(frame), nowMs)) {
      this.#state.disconnect(peer, 'request-flood');
      return;
    }
    switch (frame.type) {
      case 'open':
        this.#channels.onOpen(peer, frame, nowMs);
        return;
      case 'close': {
        const file = this.#channels.onClose(peer, frame);
        if (!file) return;
        this.#downloads.dropFile(file, [peer]);
        if (frame.reason !== 'not-permitted') this.#uploads.dropFile(file, [peer]);
        if (frame.reason !== 'not-permitted') this.#channels.forget(peer, file);
        return;
      }
      case 'bitmap':
        this.#channels.onBitmap(peer, frame);
        this.#downloads.plan(nowMs, [peer]);
        return;
      case 'have':
        this.#channels.onHave(peer, frame, nowMs);
        this.#downloads.plan(nowMs, [peer]);
        return;
      case 'interest':
        this.#channels.onInterest(peer, frame);
        this.#uploads.rechoke(nowMs);
        return;
      case 'slot':
        peer.grantsUsSlot = frame.granted;
        this.#downloads.plan(nowMs, [peer]);
        return;
      case 'request': {
        const file = this.#channels.fileOf(peer, frame.channel);
        if (file) this.#uploads.onRequest(peer, file, frame.chunk, nowMs);
        this.#uploads.pump(nowMs);
        return;
      }
      case 'cancel': {
        const file = this.#channels.fileOf(peer, frame.channel);
        if (file) this.#uploads.onCancel(peer, file, frame.chunk);
        return;
      }
      case 'reject': {
        const file = this.#channels.fileOf(peer, frame.channel);
        if (file) this.#downloads.onReject(peer, file, frame.chunk, nowMs);
        return;
      }
      case 'block':
        this.#downloads.onBlock(peer, frame, nowMs);
        return;
      case 'peers':
        this.#exchange.onPeers(peer, frame, nowMs);
    }
  }

  #onConnected(id: string, record: Uint8Array | undefined, nowMs: number): void {
    if (this.#state.peers.has(id)) throw new RangeError(`peer ${id} is connected already`);
    const peer = newPeerState(id, record, nowMs);
    if (this.#state.peers.size >= this.#state.config.maxPeers) {
      this.#state.disconnect(peer, 'too-many-peers');
      return;
    }
    this.#state.peers.set(id, peer);
    this.#exchange.greet(peer);
    this.#channels.greet(peer);
  }

  #onDisconnected(id: string, nowMs: number): void {
    const peer = this.#state.peers.get(id);
    if (!peer) return;
    this.#downloads.dropPeer(peer);
    for (const file of peer.files.keys()) this.#channels.forget(peer, file);
    this.#state.peers.delete(id);
    this.#exchange.forget(id);
    this.#downloads.plan(nowMs);
    this.#uploads.rechoke(nowMs);
  }

  #onChecked(event: Extract<SwapEvent, { kind: 'checked' }>, nowMs: number): void {
    const file = this.#state.files.get(event.manifestId);
    if (file) this.#downloads.onChecked(file, event.chunk);
    // Whole chunks come from one peer: a bad one has exactly one culprit.
    if (event.verdict === 'bad' && file) this.#state.wastedBytes += file.chunkLength(event.chunk);
    // Whoever has left since may not come back.
    if (event.verdict === 'bad') this.#state.disconnect({ id: event.peer }, 'bad-chunk');
    if (event.verdict === 'good' && file) {
      file.movedAtMs = nowMs;
      this.#files.stored(file, event.chunk);
    }
    this.#downloads.plan(nowMs);
  }

  #tick(nowMs: number): void {
    for (const { peer, file } of this.#channels.tick(nowMs)) this.#uploads.dropFile(file, [peer]);
    this.#uploads.rechoke(nowMs);
    this.#downloads.tick(nowMs);
    this.#uploads.tick(nowMs);
    this.#origin.tick(nowMs);
    this.#exchange.tick(nowMs);
  }
}

/** Of the budget for frames other than blocks: some are much more work than others. */
function costOf(frame: Frame): number {
  return frame.type === 'open' || frame.type === 'bitmap' || frame.type === 'peers' ? COSTLY_FRAME : 1;
}
