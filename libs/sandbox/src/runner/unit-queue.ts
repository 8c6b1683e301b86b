import type { PendingUnit } from './pending-unit.js';
import type { InputContent, UnitToRun } from './types.js';

/** Small units travel together, up to these bounds; a large one travels alone. */
export const MAX_BATCH_UNITS = 256;
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** The next batch leaves when no more than this many are left of the last ones, so that the sandbox never waits. */
const REFILL_UNITS = MAX_BATCH_UNITS / 2;
/** Each holds its arguments and, where it has any, its inline inputs: whoever has more keeps them to itself for now. */
export const MAX_WAITING_UNITS = 100_000;

/** What becomes of a unit that nobody waits for any more, by where it was found. */
export type Withdrawal = 'was-waiting' | 'is-running' | 'was-sent' | 'is-gone';

/** The units of one sandbox in order: those that wait here, and those that were sent, of which the first one runs. */
export class UnitQueue {
  readonly #waiting: PendingUnit[] = [];
  readonly #sent: PendingUnit[] = [];
  /** Ids of sent units that are being kept. */
  readonly #suspending = new Set<number>();

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** The unit that runs. */
  get head(): PendingUnit | undefined {
    return this.#sent[0];
  }

  get isSuspending(): boolean {
    return this.#suspending.size > 0;
  }

  /** Whether no more units may be added for now. */
  get isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING_UNITS;
  }

  add(pending: PendingUnit): void {
    this.#waiting.push(pending);
  }

  /** The next units to send, which count as sent from now on; none as long as the sandbox has enough. */
  takeBatch(): readonly PendingUnit[] {
    if (this.#sent.length >= REFILL_UNITS) return [];
    let count = 0;
    let bytes = 0;
    for (const { unit } of this.#waiting) {
      bytes += inlineBytesOf(unit);
      if (count === MAX_BATCH_UNITS || (count > 0 && bytes > MAX_BATCH_BYTES)) break;
      count++;
    }
    const batch = this.#waiting.splice(0, count);
    this.#sent.push(...batch);
    return batch;
  }

  /** A sent unit that somebody waits for. */
  find(id: number): PendingUnit | undefined {
    return this.#sent.find((pending) => pending.id === id && !pending.isAbandoned);
  }

  /** Removes a sent unit, since the sandbox is done with it. */
  takeSent(id: number): PendingUnit | undefined {
    this.#suspending.delete(id);
    const index = this.#sent.findIndex((pending) => pending.id === id);
    return index === -1 ? undefined : this.#sent.splice(index, 1)[0];
  }

  /** Removes the unit that runs. */
  takeHead(): PendingUnit | undefined {
    const { head } = this;
    return head === undefined ? undefined : this.takeSent(head.id);
  }

  takeWaiting(): readonly PendingUnit[] {
    return this.#waiting.splice(0);
  }

  /** Everything, sent units first. */
  takeAll(): readonly PendingUnit[] {
    this.#suspending.clear();
    return [...this.#sent.splice(0), ...this.#waiting.splice(0)];
  }

  /** Removes a unit that nobody waits for; one that was sent stays until the sandbox has told what became of it. */
  withdraw(pending: PendingUnit): Withdrawal {
    this.#suspending.delete(pending.id);
    const index = this.#waiting.indexOf(pending);
    if (index !== -1) {
      this.#waiting.splice(index, 1);
      return 'was-waiting';
    }
    if (this.head === pending) return 'is-running';
    return this.#sent.includes(pending) ? 'was-sent' : 'is-gone';
  }

  /** Notes that a sent unit is to be kept; false where it has computed nothing that could be, and is removed. */
  suspend(pending: PendingUnit): boolean {
    if (this.withdraw(pending) === 'was-waiting') return false;
    if (this.#sent.includes(pending)) this.#suspending.add(pending.id);
    return true;
  }

  /**
   * After the sandbox's end: what it held and somebody waits for comes first again. Returns those that were to be kept,
   * which leave: they have computed nothing since they were kept last.
   */
  requeueSent(): readonly PendingUnit[] {
    const wanted = this.#sent.splice(0).filter(({ isAbandoned }) => !isAbandoned);
    const [kept, waiting] = [
      wanted.filter(({ id }) => this.#suspending.has(id)),
      wanted.filter(({ id }) => !this.#suspending.has(id)),
    ];
    this.#suspending.clear();
    this.#waiting.unshift(...waiting);
    return kept;
  }
}

function inlineBytesOf(unit: UnitToRun): number {
  let bytes = 0;
  for (const name in unit.inputs) bytes += inlineInputBytes(unit.inputs[name]);
  return bytes;
}

function inlineInputBytes(content: InputContent | undefined): number {
  switch (content?.kind) {
    case 'bytes':
      return content.bytes.length;
    case 'pieces':
      return content.pieces.reduce((sum, piece) => sum + piece.length, 0);
    case 'files':
    case undefined:
      return 0;
  }
}
