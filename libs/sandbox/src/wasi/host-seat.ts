import { fdCalls } from './fd-calls.js';
import { fdDataCalls } from './fd-data-calls.js';
import { gleanerCalls } from './gleaner-calls.js';
import type { HostCalls, HostContext } from './host-context.js';
import { pathCalls } from './path-calls.js';
import { systemCalls } from './system-calls.js';

/**
 * Where units sit that are computed one after the other. The host's functions are made once for all of them, because
 * making them takes as long as a small unit, and see the unit that sits here.
 */
export class HostSeat implements HostContext {
  readonly imports: Record<'wasi_snapshot_preview1' | 'gleaner', HostCalls> = {
    wasi_snapshot_preview1: {
      ...systemCalls(this),
      ...fdCalls(this),
      ...fdDataCalls(this),
      ...pathCalls(this),
    },
    gleaner: gleanerCalls(this),
  };
  #unit: HostContext | null = null;

  /** From now on the functions are this unit's. */
  take(unit: HostContext): void {
    this.#unit = unit;
  }

  /** Lets go of the unit, whose memory and files may be large. */
  leave(): void {
    this.#unit = null;
  }

  get memory() {
    return this.#seated.memory;
  }

  get files() {
    return this.#seated.files;
  }

  get descriptors() {
    return this.#seated.descriptors;
  }

  get clock() {
    return this.#seated.clock;
  }

  get random() {
    return this.#seated.random;
  }

  get args() {
    return this.#seated.args;
  }

  get environ() {
    return this.#seated.environ;
  }

  get stdout() {
    return this.#seated.stdout;
  }

  get stderr() {
    return this.#seated.stderr;
  }

  charge(requestedBytes: number): void {
    this.#seated.charge(requestedBytes);
  }

  onProgress(permille: number): void {
    this.#seated.onProgress(permille);
  }

  onFrame(bytes: Uint8Array): void {
    this.#seated.onFrame(bytes);
  }

  get #seated(): HostContext {
    if (this.#unit === null) throw new Error('a unit that has ended called the host');
    return this.#unit;
  }
}
