import { Bitmap } from './bitmap.js';
import type { Downloads } from './downloads.js';
import type { OriginRefusal } from './swap-events.js';
import type { FileState, SwapState } from './swap-state.js';
import { TRANSFER_TARGET_MS } from './uploads.js';

const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 10_000;
const POOR_HOLDER_PATIENCE = 3;

/**
 * What is asked of the origin. It is asked all the time, and usually answers with chunks that nobody has fetched yet; what
 * peers fail to deliver within `originPatienceMs` it has to deliver.
 */
export class OriginPlan {
  constructor(
    private readonly state: SwapState,
    private readonly downloads: Downloads,
  ) {}

  onGranted(
    file: FileState,
    answer: {
      readonly chunks: readonly number[];
      readonly otherwise: OriginRefusal;
      readonly retryAfterMs: number;
    },
    nowMs: number,
  ): void {
    const { origin } = file;
    const { chunks, retryAfterMs } = answer;
    origin.isAsked = false;
    origin.isElsewhere = chunks.length === 0 && answer.otherwise === 'elsewhere';
    const pauseMs = chunks.length > 0 ? 0 : Math.min(Math.max(retryAfterMs, MIN_RETRY_MS), MAX_RETRY_MS);
    origin.askAgainAtMs = nowMs + pauseMs;
    for (const chunk of chunks.slice(0, this.state.config.originChunks)) {
      if (!file.missing.has(chunk) || file.origin.fetching.has(chunk)) continue;
      origin.fetching.set(chunk, nowMs);
      this.state.downloadBucket.spend(file.chunkLength(chunk), nowMs);
      this.state.actions.push({ kind: 'origin-fetch', manifestId: file.manifestId, chunk });
    }
    this.plan(file, nowMs);
  }

  onFetched(file: FileState, chunk: number, nowMs: number): void {
    file.origin.fetching.delete(chunk);
    this.plan(file, nowMs);
  }

  tick(nowMs: number): void {
    for (const file of this.state.files.values()) {
      this.#watchReach(file, nowMs);
      this.plan(file, nowMs);
    }
  }

  plan(file: FileState, nowMs: number): void {
    const { origin } = file;
    const count = this.state.config.originChunks - origin.fetching.size;
    if (
      origin.isAsked ||
      count <= 0 ||
      nowMs < origin.askAgainAtMs ||
      !this.#hasMemoryFor(file) ||
      this.state.downloadBucket.isDrained(nowMs)
    )
      return;
    const urgent = this.#lostChunks(file, nowMs);
    if (urgent.size > 0) {
      this.#ask(file, urgent, Math.min(count, urgent.size), true);
    } else if (!this.#isPoorFirstHolder(file, nowMs)) {
      const free = new Bitmap(file.init.chunkCount);
      for (const chunk of file.missing) {
        if (!origin.fetching.has(chunk) && file.isFree(chunk, nowMs, 0)) free.add(chunk);
      }
      if (free.size > 0) this.#ask(file, free, Math.min(count, free.size), false);
    }
  }

  /** Whether the chunks that the origin is asked for fit beside those of other files, granted or not yet. */
  #hasMemoryFor(file: FileState): boolean {
    const { originChunks, maxOriginBytes } = this.state.config;
    let bytes = 0;
    for (const { origin, init } of this.state.files.values())
      bytes += (origin.isAsked ? originChunks : origin.fetching.size) * init.chunkBytes;
    return bytes === 0 || bytes + file.init.chunkBytes <= maxOriginBytes;
  }

  #ask(file: FileState, wanted: Bitmap, count: number, urgent: boolean): void {
    file.origin.isAsked = true;
    this.state.actions.push({ kind: 'origin-ask', manifestId: file.manifestId, wanted, count, urgent });
  }

  /**
   * Others would wait long for the only copy of a chunk behind a narrow uplink: such a host takes what others have, and asks
   * the origin at once only when nobody else shares the file, as far as it could learn by now.
   */
  #isPoorFirstHolder(file: FileState, nowMs: number): boolean {
    const { bytesPerSecond } = this.state.uploadBucket;
    if ((file.init.chunkBytes / bytesPerSecond) * 1000 <= TRANSFER_TARGET_MS) return false;
    if (nowMs - file.addedAtMs < this.state.config.originPatienceMs) return true;
    for (const peer of this.state.peers.values()) if (peer.files.get(file)?.has) return true;
    return false;
  }

  #lostChunks(file: FileState, nowMs: number): Bitmap {
    const lost = new Bitmap(file.init.chunkCount);
    const { originPatienceMs, originBoundMs } = this.state.config;
    const patienceMs = this.#isPoorFirstHolder(file, nowMs)
      ? originPatienceMs * POOR_HOLDER_PATIENCE
      : originPatienceMs;
    // Where many want much of narrow lines each waits long for a slot, and the origin would have to send everything again.
    const isMoving = nowMs - file.movedAtMs < originPatienceMs;
    for (const [chunk, sinceMs] of file.origin.outOfReachSinceMs) {
      const isInTurn = isMoving && (file.availability[chunk] ?? 0) > 0;
      const limitMs = isInTurn ? Math.max(originBoundMs, patienceMs) : patienceMs;
      if (nowMs - sinceMs >= limitMs && !file.origin.fetching.has(chunk)) lost.add(chunk);
    }
    return lost;
  }

  /**
   * Counts once the origin has said that others are fetching the rest (before, the wait is for the origin itself), or for a chunk
   * that was asked of a peer which takes too long: the origin is not asked for that one otherwise.
   */
  #watchReach(file: FileState, nowMs: number): void {
    const { outOfReachSinceMs, fetching, isElsewhere } = file.origin;
    for (const chunk of outOfReachSinceMs.keys())
      if (!file.missing.has(chunk)) outOfReachSinceMs.delete(chunk);
    for (const chunk of file.missing) {
      if (file.checking.has(chunk) || fetching.has(chunk)) continue;
      const asked = file.askedOf.has(chunk);
      const isComing = asked
        ? this.downloads.etaMs(file, chunk, nowMs) <= this.state.config.originPatienceMs
        : this.downloads.isInReach(file, chunk, nowMs);
      if (isComing) outOfReachSinceMs.delete(chunk);
      else if (
        !outOfReachSinceMs.has(chunk) &&
        (isElsewhere || asked || this.#isPoorFirstHolder(file, nowMs))
      )
        outOfReachSinceMs.set(chunk, nowMs);
    }
  }
}
