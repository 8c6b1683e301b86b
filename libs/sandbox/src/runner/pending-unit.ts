import type { RunOptions, UnitResult, UnitToRun } from './types.js';

/** What the signals of a unit's {@link RunOptions} set off. */
export interface PendingUnitEvents {
  onAbort(pending: PendingUnit): void;
  onSuspend(pending: PendingUnit): void;
}

/** A unit whose result somebody waits for. It listens to its signals until it has ended, one way or another. */
export class PendingUnit {
  /** Its result, or a rejection with the reason of one of its signals. */
  readonly result: Promise<UnitResult>;
  /** Nobody waits for it any more, wherever it is. */
  isAbandoned = false;
  readonly #resolvers = Promise.withResolvers<UnitResult>();
  readonly #onAbort: () => void;
  readonly #onSuspend: () => void;

  constructor(
    readonly id: number,
    readonly unit: UnitToRun,
    readonly options: RunOptions,
    events: PendingUnitEvents,
  ) {
    this.result = this.#resolvers.promise;
    this.#onAbort = () => events.onAbort(this);
    this.#onSuspend = () => events.onSuspend(this);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    options.suspend?.addEventListener('abort', this.#onSuspend, { once: true });
  }

  /** Hands over the result; of no effect where the unit was abandoned. */
  finish(result: UnitResult): void {
    this.#release();
    this.#resolvers.resolve(result);
  }

  /** Ends the wait with the reason of `options.signal`. */
  abandon(): void {
    this.isAbandoned = true;
    this.#reject(this.options.signal);
  }

  /** Ends the wait with the reason of `options.suspend`: the unit's state is kept. */
  endSuspended(): void {
    this.#reject(this.options.suspend);
  }

  #reject(signal: AbortSignal | undefined): void {
    this.#release();
    this.#resolvers.reject(reasonOf(signal));
  }

  #release(): void {
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.options.suspend?.removeEventListener('abort', this.#onSuspend);
  }
}

/** The reason of an aborted signal as an error. */
export function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException('the run was aborted', 'AbortError');
}
