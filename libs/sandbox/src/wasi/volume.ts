import { StopUnit } from './stop-unit.js';

/** Like a mounted file system: one device number, one rule for writing, one bound on the bytes of its files together. */
export class Volume {
  readonly device: bigint;
  readonly writable: boolean;
  readonly limitBytes: number;
  /** Whether running out ends the unit (outputs) or fails the call with `nospc` (scratch). */
  readonly stopsWhenFull: boolean;
  #usedBytes = 0;

  constructor(init: { device: number; writable: boolean; limitBytes?: number; stopsWhenFull?: boolean }) {
    this.device = BigInt(init.device);
    this.writable = init.writable;
    this.limitBytes = init.limitBytes ?? 0;
    this.stopsWhenFull = init.stopsWhenFull ?? false;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes room for `bytes` more, or says that there is none; a volume of outputs then stops the unit instead. */
  reserve(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.limitBytes) {
      if (this.stopsWhenFull) throw new StopUnit({ kind: 'output-limit' });
      return false;
    }
    this.#usedBytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
