import { FRAME_LIMITS, type Frame } from '../frames/frame.js';
import { Channels } from './channels.js';
import { Downloads } from './downloads.js';
import { OriginPlan } from './origin-plan.js';
import { DEFAULT_SWAP_CONFIG, type SwapConfig } from './swap-config.js';
import type { AuthorizePeer, SwapAction, SwapEvent } from './swap-events.js';
import { FileState, newPeerState, SwapState, type PeerState } from './swap-state.js';
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
 * has no sockets, timers, files or randomness of its own. Call `tick` every 100 ms or so.
 */
export class SwapEngine {
  readonly #state: SwapState;
  readonly #channels: Channels;
  readonly #downloads: Downloads;
  readonly #uploads: Uploads;
  readonly #origin: OriginPlan;

  constructor(private readonly init: SwapEngineInit) {
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
  }

  /** @throws {RangeError} for a file beyond `maxFiles`, or chunks that a file does not have */
  handle(event: SwapEvent, nowMs: number): readonly SwapAction[] {
    this.#state.actions = [];
    this.#apply(event, nowMs);
    return this.#state.actions;
  }

  /** Bytes received in vain: duplicates, cancelled chunks, blocks of closed files. */
  get wastedBytes(): number {
    return this.#state.wastedBytes;
  }

  /** Memory held for chunks that arrive or are being checked, in bytes. */
  get bufferedBytes(): number {
    return this.#state.bufferedBytes;
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
        this.#addFile(event, nowMs);
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
        if (file) this.#onFileEvent(file, event, nowMs);
      }
    }
  }

  #onFileEvent(
    file: FileState,
    event: Extract<
      SwapEvent,
      {
        kind:
          | 'file-removed'
          | 'ticket-renewed'
          | 'wanted'
          | 'unwanted'
          | 'chunk-lost'
          | 'origin-granted'
          | 'origin-fetched';
      }
    >,
    nowMs: number,
  ): void {
    switch (event.kind) {
      case 'file-removed':
        for (const chunk of file.checking) this.#downloads.onChecked(file, chunk);
        this.#downloads.dropFile(file);
        this.#uploads.dropFile(file);
        this.#channels.closeFile(file);
        this.#state.files.delete(file.manifestId);
        return;
      case 'ticket-renewed':
        this.#channels.renewTicket(file, event.ticket);
        return;
      case 'wanted':
        this.#want(file, event.chunks, nowMs);
        return;
      case 'unwanted':
        for (const chunk of event.chunks) unwant(file, chunk);
        return;
      case 'chunk-lost':
        file.have.delete(event.chunk);
        if (file.wanted.has(event.chunk)) file.missing.add(event.chunk);
        return;
      case 'origin-granted':
        this.#origin.onGranted(file, event, nowMs);
        return;
      case 'origin-fetched':
        if (event.isStored) this.#onStored(file, event.chunk);
        this.#origin.onFetched(file, event.chunk, nowMs);
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
        this.#channels.onHave(peer, frame);
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
        // More often is of no use to anybody; the records are dropped, not the peer.
        if (nowMs < peer.recordsAllowedAtMs || frame.records.length === 0) return;
        // The first is the peer's own record, which others may follow at once.
        peer.recordsAllowedAtMs =
          peer.recordsAllowedAtMs === 0 ? nowMs : nowMs + this.#state.config.peerExchangeIntervalMs / 2;
        this.#state.actions.push({ kind: 'peers-learned', from: peer.id, records: frame.records });
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
    const { ownRecord } = this.init;
    // An accepted peer knows nothing of this host but its key, and others hear of it by its own word alone.
    if (ownRecord) this.#state.send(peer, { type: 'peers', records: [ownRecord()] });
    this.#channels.greet(peer);
  }

  #onDisconnected(id: string, nowMs: number): void {
    const peer = this.#state.peers.get(id);
    if (!peer) return;
    this.#downloads.dropPeer(peer);
    for (const file of peer.files.keys()) this.#channels.forget(peer, file);
    this.#state.peers.delete(id);
    for (const other of this.#state.peers.values()) other.recordsTold.delete(id);
    this.#downloads.plan(nowMs);
    this.#uploads.rechoke(nowMs);
  }

  #addFile({ file: init }: Extract<SwapEvent, { kind: 'file-added' }>, nowMs: number): void {
    if (this.#state.files.has(init.manifestId))
      throw new RangeError(`file ${init.manifestId} is open already`);
    const used = new Set([...this.#state.files.values()].map(({ channel }) => channel));
    const channel = Array.from({ length: this.#state.config.maxFiles }, (_, index) => index).find(
      (index) => !used.has(index),
    );
    if (channel === undefined)
      throw new RangeError(`at most ${this.#state.config.maxFiles} files can be open`);
    const file = new FileState(init, channel);
    this.#state.files.set(init.manifestId, file);
    this.#channels.addFile(file, nowMs);
  }

  #want(file: FileState, chunks: Iterable<number>, nowMs: number): void {
    for (const chunk of chunks) {
      if (chunk < 0 || chunk >= file.init.chunkCount)
        throw new RangeError(`no chunk ${chunk} in ${file.manifestId}`);
      file.wanted.set(chunk, (file.wanted.get(chunk) ?? 0) + 1);
      if (!file.have.has(chunk)) file.missing.add(chunk);
    }
    for (const peer of this.#state.peers.values()) this.#channels.updateInterest(peer, file);
    this.#downloads.plan(nowMs);
    this.#origin.plan(file, nowMs);
  }

  #onChecked(event: Extract<SwapEvent, { kind: 'checked' }>, nowMs: number): void {
    const file = this.#state.files.get(event.manifestId);
    if (file) this.#downloads.onChecked(file, event.chunk);
    const peer = this.#state.peers.get(event.peer);
    // Whole chunks come from one peer: a bad one has exactly one culprit.
    if (event.verdict === 'bad' && file) this.#state.wastedBytes += file.chunkLength(event.chunk);
    if (event.verdict === 'bad' && peer) this.#state.disconnect(peer, 'bad-chunk');
    if (event.verdict === 'good' && file) this.#onStored(file, event.chunk);
    this.#downloads.plan(nowMs);
  }

  #onStored(file: FileState, chunk: number): void {
    file.missing.delete(chunk);
    if (!file.have.add(chunk)) return;
    this.#downloads.onStored(file, chunk);
    this.#channels.announce(file, chunk);
  }

  #tick(nowMs: number): void {
    this.#channels.tick(nowMs);
    this.#uploads.rechoke(nowMs);
    this.#downloads.tick(nowMs);
    this.#uploads.tick(nowMs);
    this.#origin.tick(nowMs);
    this.#exchangePeers(nowMs);
  }

  /** Tells each peer now and then about others that share a file with it and allowed their record to be passed on. */
  #exchangePeers(nowMs: number): void {
    for (const peer of this.#state.peers.values()) {
      if (nowMs - peer.recordsSentAtMs < this.#state.config.peerExchangeIntervalMs) continue;
      const records: Uint8Array[] = [];
      for (const other of this.#state.peers.values()) {
        if (other === peer || !other.record || peer.recordsTold.get(other.id) === other.record) continue;
        if (records.length === FRAME_LIMITS.records || !sharesFile(peer, other)) continue;
        peer.recordsTold.set(other.id, other.record);
        records.push(other.record);
      }
      if (records.length === 0) continue;
      peer.recordsSentAtMs = nowMs;
      this.#state.send(peer, { type: 'peers', records });
    }
  }
}

/** Of the budget for frames other than blocks: some are much more work than others. */
function costOf(frame: Frame): number {
  return frame.type === 'open' || frame.type === 'bitmap' || frame.type === 'peers' ? COSTLY_FRAME : 1;
}

function unwant(file: FileState, chunk: number): void {
  const left = (file.wanted.get(chunk) ?? 0) - 1;
  if (left > 0) {
    file.wanted.set(chunk, left);
    return;
  }
  file.wanted.delete(chunk);
  // What is on its way is let in: it is nearly here, and others may want it.
  file.missing.delete(chunk);
}

function sharesFile(a: PeerState, b: PeerState): boolean {
  for (const [file, { permittedUntilMs }] of a.files) {
    if (permittedUntilMs !== undefined && b.files.get(file)?.permittedUntilMs !== undefined) return true;
  }
  return false;
}
