import { DomainError } from './domain-error.js';

/** How many bytes may be in memory at once, in all and of one caller. */
export interface ByteBudgetLimits {
  readonly maxBytes: number;
  readonly maxBytesEach: number;
}

/** Bounds what requests keep in memory while they are read or wait: by their bytes, because their number says little. */
export class ByteBudget {
  private readonly byCaller = new Map<string, number>();
  private heldBytes = 0;

  constructor(private readonly limits: ByteBudgetLimits) {}

  /**
   * Counts the bytes as held until what is returned is called; calling that twice is safe.
   *
   * @param caller whose bytes count together
   * @throws {DomainError} `server-busy` where there is no room for them now
   */
  take(caller: string, bytes: number): () => void {
    const own = this.byCaller.get(caller) ?? 0;
    const { maxBytes, maxBytesEach } = this.limits;
    if (own + bytes > maxBytesEach || this.heldBytes + bytes > maxBytes) {
      throw new DomainError(
        'server-busy',
        'Too many large requests are under way. Nothing was stored: try again in a few seconds.',
        { headers: { 'retry-after': '5' } },
      );
    }
    this.change(caller, bytes);
    let isHeld = true;
    return () => {
      if (isHeld) this.change(caller, -bytes);
      isHeld = false;
    };
  }

  private change(caller: string, bytes: number): void {
    this.heldBytes += bytes;
    const own = (this.byCaller.get(caller) ?? 0) + bytes;
    if (own === 0) this.byCaller.delete(caller);
    else this.byCaller.set(caller, own);
  }
}
