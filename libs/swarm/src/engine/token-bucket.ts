/** Paces bytes: `bytesPerSecond` on average, at most `burstBytes` at once. */
export class TokenBucket {
  #tokens: number;
  #atMs: number;

  constructor(
    private currentBytesPerSecond: number,
    private readonly burstBytes: number,
    nowMs: number,
  ) {
    this.#tokens = burstBytes;
    this.#atMs = nowMs;
  }

  get bytesPerSecond(): number {
    return this.currentBytesPerSecond;
  }

  get isUnlimited(): boolean {
    return this.currentBytesPerSecond === Number.POSITIVE_INFINITY;
  }

  /** Takes the bytes and says yes, or takes nothing. An amount above the burst is taken from a full bucket, on credit. */
  take(bytes: number, nowMs: number): boolean {
    if (this.isUnlimited) return true;
    this.#refill(nowMs);
    if (this.#tokens < Math.min(bytes, this.burstBytes)) return false;
    this.#tokens -= bytes;
    return true;
  }

  /** Whether a `take` of the full burst would be refused. */
  isDrained(nowMs: number): boolean {
    if (this.isUnlimited) return false;
    this.#refill(nowMs);
    return this.#tokens < this.burstBytes;
  }

  /** Takes the bytes whatever is left; what comes next waits for it. */
  spend(bytes: number, nowMs: number): void {
    this.#refill(nowMs);
    if (!this.isUnlimited) this.#tokens -= bytes;
  }

  setRate(bytesPerSecond: number, nowMs: number): void {
    this.#refill(nowMs);
    this.currentBytesPerSecond = bytesPerSecond;
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    if (this.isUnlimited) this.#tokens = this.burstBytes;
    else
      this.#tokens = Math.min(
        this.burstBytes,
        this.#tokens + (elapsedMs / 1000) * this.currentBytesPerSecond,
      );
  }
}
