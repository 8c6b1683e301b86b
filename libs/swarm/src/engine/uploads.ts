import { FRAME_LIMITS } from '../frames/frame.js';
import { chooseUploadSlots } from './choose-slots.js';
import type { FileState, PeerState, SwapState } from './swap-state.js';

/** A paced uplink serves few chunks at a time, each within about this: the first copy out is what the swarm waits for. */
export const TRANSFER_TARGET_MS = 2000;

/** A slot that was not used for so long goes to somebody else for a while, where anybody waits. */
const SLOT_IDLE_MS = 5000;
const SLOT_PENALTY_MS = 60_000;
/** What an unpaced uplink is handed at once: links carry a run of blocks at far less cost than the same blocks one by one. */
const RUN_BYTES = 4 * FRAME_LIMITS.blockBytes;

/** Who is served, with what, and how fast. */
export class Uploads {
  #optimistic: ReadonlySet<string> = new Set();
  #rechokeAtMs = 0;
  #rotateAtMs = 0;
  /** Who comes first in the next round. */
  #turn = 0;

  constructor(private readonly state: SwapState) {}

  onRequest(peer: PeerState, file: FileState, chunk: number, nowMs: number): void {
    if (chunk >= file.init.chunkCount) {
      this.state.disconnect(peer, 'protocol-error');
      return;
    }
    if (peer.uploads.length >= this.state.config.maxQueuedRequests) {
      this.state.disconnect(peer, 'request-flood');
      return;
    }
    const permittedUntilMs = peer.files.get(file)?.permittedUntilMs ?? 0;
    const isServed = peer.holdsOurSlot && permittedUntilMs > nowMs && file.have.has(chunk);
    const isQueued = peer.uploads.some((upload) => upload.file === file && upload.chunk === chunk);
    peer.slotUsedAtMs = nowMs;
    if (isQueued) return;
    if (isServed) peer.uploads.push({ file, chunk, offset: 0 });
    else this.state.send(peer, { type: 'reject', channel: file.channel, chunk });
  }

  onCancel(peer: PeerState, file: FileState, chunk: number): void {
    const index = peer.uploads.findIndex((upload) => upload.file === file && upload.chunk === chunk);
    if (index >= 0) peer.uploads.splice(index, 1);
  }

  onFlushed(peer: PeerState, bytes: number, nowMs: number): void {
    peer.lastFlushAtMs = nowMs;
    peer.slotUsedAtMs = nowMs;
    peer.unsentBytes = Math.max(0, peer.unsentBytes - bytes);
  }

  setRate(bytesPerSecond: number, nowMs: number): void {
    this.state.uploadBucket.setRate(bytesPerSecond, nowMs);
  }

  dropFile(file: FileState, peers: Iterable<PeerState> = this.state.peers.values()): void {
    for (const peer of peers) {
      for (let index = peer.uploads.length - 1; index >= 0; index -= 1) {
        if (peer.uploads[index]?.file === file) peer.uploads.splice(index, 1);
      }
    }
  }

  /** The chunk cannot be delivered any longer. */
  dropChunk(file: FileState, chunk: number): void {
    for (const peer of this.state.peers.values()) {
      const index = peer.uploads.findIndex((upload) => upload.file === file && upload.chunk === chunk);
      if (index < 0) continue;
      peer.uploads.splice(index, 1);
      this.state.send(peer, { type: 'reject', channel: file.channel, chunk });
    }
  }

  /** Hands runs of blocks to links that have room, in turns, as fast as the volunteer allows. */
  pump(nowMs: number): void {
    const waiting: PeerState[] = [];
    // Whose link is full waits without keeping others from their turn.
    for (const peer of this.state.peers.values())
      if (peer.uploads.length > 0 && this.#hasRoom(peer, FRAME_LIMITS.blockBytes)) waiting.push(peer);
    if (waiting.length === 0) return;
    const active = waiting.slice(0, this.#transfersAtOnce(waiting));
    let idleTurns = 0;
    while (idleTurns < active.length) {
      this.#turn += 1;
      const peer = active[this.#turn % active.length];
      idleTurns = peer && this.#sendRun(peer, nowMs) ? 0 : idleTurns + 1;
    }
  }

  /** Ends links that have not taken a byte for so long that nobody reads at the other end. */
  tick(nowMs: number): void {
    for (const peer of this.state.peers.values()) {
      const isStuck =
        peer.unsentBytes > 0 && nowMs - peer.lastFlushAtMs > this.state.config.sendStallTimeoutMs;
      if (isStuck) this.state.disconnect(peer, 'too-slow');
    }
    this.pump(nowMs);
  }

  /** Grants free slots at once, and all of them anew at every interval. */
  rechoke(nowMs: number): void {
    const isDue = nowMs >= this.#rechokeAtMs;
    if (!isDue && !this.#hasNewcomerAndRoom()) return;
    if (isDue) this.#rechokeAtMs = nowMs + this.state.config.rechokeIntervalMs;
    const isRotation = nowMs >= this.#rotateAtMs;
    if (isRotation) this.#rotateAtMs = nowMs + this.state.config.optimisticIntervalMs;
    const wanting = [...this.state.peers.values()].filter(wantsChunks);
    for (const peer of wanting) this.#noteIdleHolder(peer, nowMs);
    const active = wanting.filter((peer) => peer.slotIdleUntilMs <= nowMs);
    const { uploadSlots, optimisticSlots } = this.state.config;
    const candidates = active.length > 0 && wanting.length > uploadSlots + optimisticSlots ? active : wanting;
    const chosen = chooseUploadSlots(
      candidates.map((peer) => ({
        id: peer.id,
        receivedPerSecond: peer.received.perSecond(nowMs),
        servedBytes: peer.sent.total,
      })),
      {
        uploadSlots: Math.min(uploadSlots, this.#transfersAtOnce(candidates)),
        optimisticSlots,
        isSeed: this.#needsNothing(),
        keptOptimistic: isRotation ? new Set() : this.#optimistic,
      },
      this.state.random,
    );
    this.#optimistic = chosen.optimistic;
    for (const peer of this.state.peers.values()) {
      this.#setSlot(peer, chosen.regular.has(peer.id) || chosen.optimistic.has(peer.id), nowMs);
    }
  }

  /** Who holds a slot and asks for nothing stands in the way of those who would use it. */
  #noteIdleHolder(peer: PeerState, nowMs: number): void {
    const isUsed =
      peer.uploads.length > 0 || peer.unsentBytes > 0 || nowMs - peer.slotUsedAtMs <= SLOT_IDLE_MS;
    if (peer.holdsOurSlot && !isUsed) peer.slotIdleUntilMs = nowMs + SLOT_PENALTY_MS;
  }

  #hasRoom(peer: PeerState, bytes: number): boolean {
    return peer.unsentBytes + bytes <= this.state.config.sendQueueBytes;
  }

  #setSlot(peer: PeerState, granted: boolean, nowMs: number): void {
    if (peer.holdsOurSlot === granted) return;
    peer.holdsOurSlot = granted;
    if (granted) peer.slotUsedAtMs = nowMs;
    this.state.send(peer, { type: 'slot', granted });
    if (granted) return;
    // The chunk that has begun is finished, or what was sent of it would be wasted.
    const [current, ...rest] = peer.uploads;
    const kept = current && current.offset > 0 ? [current] : [];
    for (const upload of kept.length > 0 || !current ? rest : [current, ...rest]) {
      this.state.send(peer, { type: 'reject', channel: upload.file.channel, chunk: upload.chunk });
    }
    peer.uploads.splice(0, peer.uploads.length, ...kept);
  }

  #sendRun(peer: PeerState, nowMs: number): boolean {
    const upload = peer.uploads[0];
    if (!upload) return false;
    const { file, chunk, offset } = upload;
    const mostBytes = this.state.uploadBucket.isUnlimited ? RUN_BYTES : FRAME_LIMITS.blockBytes;
    const length = Math.min(mostBytes, file.chunkLength(chunk) - offset);
    if (!this.#hasRoom(peer, length)) return false;
    if (!this.state.uploadBucket.take(length, nowMs)) return false;
    if (peer.unsentBytes === 0) peer.lastFlushAtMs = nowMs;
    peer.unsentBytes += length;
    peer.sent.add(length);
    upload.offset += length;
    const isLast = upload.offset === file.chunkLength(chunk);
    if (isLast) peer.uploads.shift();
    this.state.actions.push({
      kind: 'upload',
      peer: peer.id,
      channel: file.channel,
      manifestId: file.manifestId,
      chunk,
      offset,
      length,
      isLast,
    });
    return true;
  }

  #transfersAtOnce(peers: readonly PeerState[]): number {
    if (this.state.uploadBucket.isUnlimited) return Number.POSITIVE_INFINITY;
    let chunkBytes = 1;
    for (const peer of peers)
      for (const file of peer.files.keys()) chunkBytes = Math.max(chunkBytes, file.init.chunkBytes);
    return Math.max(
      1,
      Math.floor((this.state.uploadBucket.bytesPerSecond * TRANSFER_TARGET_MS) / 1000 / chunkBytes),
    );
  }

  #hasNewcomerAndRoom(): boolean {
    let holders = 0;
    let isSomebodyWaiting = false;
    for (const peer of this.state.peers.values()) {
      if (peer.holdsOurSlot) holders += 1;
      else if (wantsChunks(peer)) isSomebodyWaiting = true;
    }
    const { uploadSlots, optimisticSlots } = this.state.config;
    return (
      isSomebodyWaiting && holders < uploadSlots + optimisticSlots && this.state.uploadBucket.isUnlimited
    );
  }

  #needsNothing(): boolean {
    for (const file of this.state.files.values()) if (file.missing.size > 0) return false;
    return true;
  }
}

function wantsChunks(peer: PeerState): boolean {
  for (const shared of peer.files.values())
    if (shared.theyWant && shared.permittedUntilMs !== undefined) return true;
  return false;
}
