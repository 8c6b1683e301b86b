import type { Frame } from '../frames/frame.js';
import type { Channels } from './channels.js';
import { chooseRarestChunks } from './choose-chunk.js';
import { downloadKey, type Download, type FileState, type PeerState, type SwapState } from './swap-state.js';

type BlockFrame = Extract<Frame, { type: 'block' }>;

/** Cancelled chunks a peer is remembered for: more than its pipeline and its send queue can still deliver. */
const MAX_CANCELLED = 256;
/** More than the longest pipeline of the largest chunks. */
const MAX_LATE_BYTES = 64 * 1024 * 1024;
const REFUSED_FOR_MS = 2000;
const FIRST_PIPELINE_CHUNKS = 2;
/** A full pipeline is filled again when so much of it is free: requests that go together cost both sides less. */
const REFILL_PART = 1 / 4;
/** A second peer is asked for a chunk only when it would be so much sooner: a duplicate costs somebody's uplink. */
const ENDGAME_GAIN = 2;
const ENDGAME_MARGIN_MS = 200;
/** A chunk that would take so long is asked of somebody faster although there is more to ask for. */
const SLOW_MS = 2000;

/** What is asked of whom: pipelines, arriving blocks, stalls, endgame. */
export class Downloads {
  constructor(
    private readonly state: SwapState,
    private readonly channels: Channels,
    private readonly allocate: (lengthBytes: number) => Uint8Array,
  ) {}

  /** Fills the pipelines of these peers, the fastest first. */
  plan(nowMs: number, peers: Iterable<PeerState> = this.state.peers.values()): void {
    const ready: Array<{ peer: PeerState; rate: number; chance: number }> = [];
    for (const peer of peers) {
      if (!this.#mayAsk(peer, nowMs)) continue;
      ready.push({ peer, rate: peer.received.perSecond(nowMs), chance: this.state.random() });
    }
    ready.sort((a, b) => b.rate - a.rate || a.chance - b.chance);
    for (const { peer, rate } of ready) {
      for (const file of peer.files.keys()) {
        this.#fill(peer, file, rate, nowMs);
      }
    }
  }

  onBlock(peer: PeerState, frame: BlockFrame, nowMs: number): void {
    const file = this.channels.fileOf(peer, frame.channel);
    const download = file && peer.downloads.get(downloadKey(file, frame.chunk));
    if (!file || !download) {
      this.#takeLate(peer, frame.bytes.length);
      return;
    }
    const length = file.chunkLength(frame.chunk);
    if (frame.offset !== download.receivedBytes && download.isRepeated) {
      this.#takeLate(peer, frame.offset === 0 ? download.receivedBytes : frame.bytes.length);
      if (frame.offset !== 0) return;
      download.receivedBytes = 0;
    }
    if (frame.offset !== download.receivedBytes || frame.offset + frame.bytes.length > length) {
      this.state.disconnect(peer, 'protocol-error');
      return;
    }
    download.bytes ??= this.allocate(length);
    download.bytes.set(frame.bytes, frame.offset);
    download.receivedBytes += frame.bytes.length;
    download.startedAtMs ??= nowMs;
    peer.lastBlockAtMs = nowMs;
    peer.received.add(frame.bytes.length);
    if (download.receivedBytes === length) this.#complete(peer, download, download.bytes, nowMs);
  }

  /** Bytes of chunks, or of files, that were given up a moment ago; more than those is sent by nobody in good faith. */
  #takeLate(peer: PeerState, bytes: number): void {
    this.state.wastedBytes += bytes;
    peer.lateBytes -= bytes;
    if (peer.lateBytes < 0) this.state.disconnect(peer, 'unsolicited-data');
  }

  onReject(peer: PeerState, file: FileState, chunk: number, nowMs: number): void {
    const download = peer.downloads.get(downloadKey(file, chunk));
    if (!download) return;
    this.#forget(peer, download);
    // Slots and rejections come in order: whoever still grants a slot says that it never had the chunk.
    if (peer.grantsUsSlot) this.channels.retract(peer, file, chunk);
    peer.refusedUntilMs.set(downloadKey(file, chunk), nowMs + REFUSED_FOR_MS);
    this.plan(nowMs);
  }

  /** The chunk is in the store, wherever it came from: whoever else was asked for it need not send it. */
  onStored(file: FileState, chunk: number): void {
    for (const peer of file.askedOf.get(chunk) ?? []) {
      const download = peer.downloads.get(downloadKey(file, chunk));
      if (download) this.#cancel(peer, download);
    }
  }

  /** The bytes of a checked chunk are no longer held. */
  onChecked(file: FileState, chunk: number): void {
    if (file.checking.delete(chunk)) this.state.bufferedBytes -= file.chunkLength(chunk);
  }

  dropPeer(peer: PeerState): void {
    for (const download of peer.downloads.values()) this.#forget(peer, download);
  }

  /** Cancels what is on its way of this file: from this peer, or from everybody. */
  dropFile(file: FileState, peers: Iterable<PeerState> = this.state.peers.values()): void {
    for (const peer of peers) {
      for (const download of peer.downloads.values())
        if (download.file === file) this.#cancel(peer, download);
    }
  }

  tick(nowMs: number): void {
    for (const peer of this.state.peers.values()) {
      for (const [key, untilMs] of peer.refusedUntilMs) if (untilMs <= nowMs) peer.refusedUntilMs.delete(key);
      if (this.#isStalled(peer, nowMs)) this.#punishStall(peer, nowMs);
    }
    this.plan(nowMs);
    for (const file of this.state.files.values()) this.#endgame(file, nowMs);
  }

  /** Milliseconds until the soonest of the asked peers has delivered the chunk, as far as rates tell. */
  etaMs(file: FileState, chunk: number, nowMs: number): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const peer of file.askedOf.get(chunk) ?? []) {
      const download = peer.downloads.get(downloadKey(file, chunk));
      if (!download) continue;
      const rate = peer.received.perSecond(nowMs);
      // Without a rate, what has taken long will take long.
      const etaMs =
        rate > 0
          ? (owedBytes(peer, download) / rate) * 1000
          : (nowMs - download.requestedAtMs) * 2 + ENDGAME_MARGIN_MS;
      soonest = Math.min(soonest, etaMs);
    }
    return soonest;
  }

  /** Whether a connected peer would deliver the chunk if it were asked. */
  isInReach(file: FileState, chunk: number, nowMs: number): boolean {
    for (const peer of this.state.peers.values()) {
      if (this.#mayAsk(peer, nowMs) && this.#offers(peer, file, chunk)) return true;
    }
    return false;
  }

  #mayAsk(peer: PeerState, nowMs: number): boolean {
    return peer.grantsUsSlot && peer.snubbedUntilMs <= nowMs;
  }

  #offers(peer: PeerState, file: FileState, chunk: number): boolean {
    if (!peer.files.get(file)?.has?.has(chunk)) return false;
    return peer.refusedUntilMs.size === 0 || !peer.refusedUntilMs.has(downloadKey(file, chunk));
  }

  #pipelineChunks(file: FileState, bytesPerSecond: number): number {
    const { pipelineTargetMs, maxPipelineChunks } = this.state.config;
    if (bytesPerSecond === 0) return FIRST_PIPELINE_CHUNKS;
    const chunks = Math.floor((bytesPerSecond * pipelineTargetMs) / 1000 / file.init.chunkBytes) + 1;
    return Math.min(chunks, maxPipelineChunks);
  }

  #fill(peer: PeerState, file: FileState, rate: number, nowMs: number): void {
    const most = this.#pipelineChunks(file, rate);
    const free = most - peer.downloads.size;
    if (file.missing.size === 0 || free < Math.max(1, Math.floor(most * REFILL_PART))) return;
    const { originPatienceMs } = this.state.config;
    const chunks = chooseRarestChunks(
      file.missing,
      file.availability,
      (chunk) => file.isFree(chunk, nowMs, originPatienceMs) && this.#offers(peer, file, chunk),
      this.state.random,
      free,
    );
    for (const chunk of chunks) if (!this.#ask(peer, file, chunk, nowMs)) return;
  }

  #ask(peer: PeerState, file: FileState, chunk: number, nowMs: number): boolean {
    const length = file.chunkLength(chunk);
    if (this.state.bufferedBytes + length > this.state.config.maxBufferedBytes) return false;
    if (!this.state.downloadBucket.take(length, nowMs)) return false;
    this.state.bufferedBytes += length;
    const key = downloadKey(file, chunk);
    const isRepeated = peer.cancelled.delete(key);
    peer.downloads.set(key, {
      file,
      chunk,
      requestedAtMs: nowMs,
      startedAtMs: undefined,
      receivedBytes: 0,
      isRepeated,
      bytes: undefined,
    });
    const asked = file.askedOf.get(chunk);
    if (asked) asked.add(peer);
    else file.askedOf.set(chunk, new Set([peer]));
    this.state.send(peer, { type: 'request', channel: file.channel, chunk });
    return true;
  }

  #complete(peer: PeerState, download: Download, bytes: Uint8Array, nowMs: number): void {
    const { file, chunk } = download;
    this.#forget(peer, download);
    peer.stalls = 0;
    // Two peers may finish the same chunk before the first is checked; the second's copy is not needed.
    if (file.checking.has(chunk) || file.have.has(chunk)) {
      this.state.wastedBytes += bytes.length;
    } else {
      file.checking.add(chunk);
      this.state.bufferedBytes += bytes.length;
      this.state.actions.push({ kind: 'check', manifestId: file.manifestId, chunk, peer: peer.id, bytes });
    }
    this.plan(nowMs, [peer]);
  }

  #cancel(peer: PeerState, download: Download): void {
    this.state.wastedBytes += download.receivedBytes;
    this.#forget(peer, download);
    const owed = download.file.chunkLength(download.chunk) - download.receivedBytes;
    peer.lateBytes = Math.min(peer.lateBytes + owed, MAX_LATE_BYTES);
    peer.cancelled.add(downloadKey(download.file, download.chunk));
    if (peer.cancelled.size > MAX_CANCELLED) {
      for (const oldest of peer.cancelled) {
        peer.cancelled.delete(oldest);
        break;
      }
    }
    this.state.send(peer, { type: 'cancel', channel: download.file.channel, chunk: download.chunk });
  }

  #forget(peer: PeerState, download: Download): void {
    const { file, chunk } = download;
    peer.downloads.delete(downloadKey(file, chunk));
    this.state.bufferedBytes -= file.chunkLength(chunk);
    const asked = file.askedOf.get(chunk);
    asked?.delete(peer);
    if (asked?.size === 0) file.askedOf.delete(chunk);
  }

  #isStalled(peer: PeerState, nowMs: number): boolean {
    const { stallTimeoutMs, minChunkBytesPerSecond } = this.state.config;
    let oldestRequestMs = nowMs;
    for (const download of peer.downloads.values()) {
      oldestRequestMs = Math.min(oldestRequestMs, download.requestedAtMs);
      const { file, chunk, startedAtMs } = download;
      const allowedMs = stallTimeoutMs + (file.chunkLength(chunk) / minChunkBytesPerSecond) * 1000;
      if (startedAtMs !== undefined && nowMs - startedAtMs > allowedMs) return true;
    }
    return nowMs - Math.max(oldestRequestMs, Math.min(peer.lastBlockAtMs, nowMs)) > stallTimeoutMs;
  }

  #punishStall(peer: PeerState, nowMs: number): void {
    for (const download of peer.downloads.values()) this.#cancel(peer, download);
    peer.stalls += 1;
    peer.snubbedUntilMs = nowMs + this.state.config.stallTimeoutMs * peer.stalls;
    if (peer.stalls >= this.state.config.maxStalls) this.state.disconnect(peer, 'too-slow');
  }

  /** Chunks at slow peers are asked of faster ones too: the slowest at any time, others when nothing else is left to ask for. */
  #endgame(file: FileState, nowMs: number): void {
    if (file.askedOf.size === 0) return;
    const leastMs = this.#isAnyFree(file, nowMs) ? SLOW_MS : 0;
    for (const [chunk, asked] of file.askedOf) {
      if (asked.size > 1 || file.checking.has(chunk)) continue;
      const etaMs = this.etaMs(file, chunk, nowMs);
      if (etaMs < leastMs) continue;
      for (const peer of this.state.peers.values()) {
        if (asked.has(peer) || !this.#mayAsk(peer, nowMs) || !this.#offers(peer, file, chunk)) continue;
        const rate = peer.received.perSecond(nowMs);
        if (rate === 0 || peer.downloads.size >= this.#pipelineChunks(file, rate)) continue;
        const bytes = owedBytes(peer, undefined) + file.chunkLength(chunk);
        if (etaMs < (bytes / rate) * 1000 * ENDGAME_GAIN + ENDGAME_MARGIN_MS) continue;
        this.#ask(peer, file, chunk, nowMs);
        break;
      }
    }
  }

  #isAnyFree(file: FileState, nowMs: number): boolean {
    for (const chunk of file.missing)
      if (file.isFree(chunk, nowMs, this.state.config.originPatienceMs)) return true;
    return false;
  }
}

/** Bytes that the peer still has to send until this download (or everything) is complete. */
function owedBytes(peer: PeerState, upTo: Download | undefined): number {
  let bytes = 0;
  for (const download of peer.downloads.values()) {
    bytes += download.file.chunkLength(download.chunk) - download.receivedBytes;
    if (download === upTo) break;
  }
  return bytes;
}
