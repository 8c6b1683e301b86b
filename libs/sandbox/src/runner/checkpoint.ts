import { RUNTIME_VERSION } from '../abi.js';
import { messageOf } from './message-of.js';
import type { SentUnit } from './messages.js';
import type { SandboxPlatform } from './sandbox-platform.js';
import { decodeHeader, encodeSnapshot, type SnapshotHeader, type UnitSnapshot } from './snapshot.js';
import type { UnitResult } from './types.js';
import type { Ending } from './unit-ending.js';
import type { UnitExecution } from './unit-execution.js';
import { unitKeyOf } from './unit-state.js';

const SAVE_MOMENT_MS = 20;
/** A young unit is kept more often, so that a crash takes at most this part of its work, in CPU time. */
const MOST_LOST = 1 / 20;
const LEAST_INTERVAL_MS = 500;
/** Snapshots of a large state cost more: early ones must not take more than a fiftieth of the CPU. */
const COST_FACTOR = 50;

type CheckpointPlatform = Pick<SandboxPlatform, 'send' | 'checkpoints' | 'cpuMs' | 'otherThreadsCpuMs'>;

/** Decides when a unit's state is kept, and whether a kept one is its own. */
export class Checkpoint {
  readonly #unit: SentUnit;
  readonly #platform: CheckpointPlatform;
  readonly #identity: { readonly moduleSha256: string; readonly unitKey: string };
  readonly #begunAtCpuMs: number;
  #lastAtCpuMs: number;
  #lastAt = performance.now();
  #saving: Promise<void> | null = null;
  #count = 0;
  #longestPauseMs = 0;
  /** CPU time that one snapshot took of the unit's own thread at most. */
  #mostOwnMs = 0;
  /** CPU time that one snapshot took of other threads, which compress it, at most. */
  #mostOthersMs = 0;
  /** Why the last snapshot could not be written; null where it could. */
  #trouble: string | null = null;

  constructor(unit: SentUnit, platform: CheckpointPlatform) {
    this.#unit = unit;
    this.#platform = platform;
    this.#begunAtCpuMs = this.#computingCpuMs();
    this.#lastAtCpuMs = this.#begunAtCpuMs;
    const unitKey = unit.checkpoint === undefined ? '' : unitKeyOf(unit);
    this.#identity = { moduleSha256: unit.moduleSha256, unitKey };
  }

  /** The unit in the state of its snapshot, null where there is none that fits. */
  resume(start: () => UnitExecution) {
    try {
      const found = this.#find();
      if (found === null || !this.#isOwn(found.header)) return null;
      const execution = start();
      const begun = execution.resume(found.header, found.payload);
      return { execution, begun, resumedCycles: execution.cycles };
    } catch {
      // A damaged snapshot costs the work since the unit's start, never its result.
      return null;
    }
  }

  /** See `UnitResult.snapshots`. */
  get taken(): Pick<UnitResult, 'snapshots'> {
    if (this.#count === 0) return {};
    return { snapshots: { count: this.#count, longestPauseMs: this.#longestPauseMs } };
  }

  /** Between two steps: keeps the state if it is time to. */
  async pass(execution: Pick<UnitExecution, 'capture'>): Promise<void> {
    const startedAt = performance.now();
    const isDue = this.#isDue(startedAt);
    if (!isDue && this.#saving === null) return;
    const cpuAtStart = this.#computingCpuMs();
    if (isDue) this.#save(execution);
    await this.#letSave();
    const pauseMs = performance.now() - startedAt;
    this.#longestPauseMs = Math.max(this.#longestPauseMs, pauseMs);
    // Waiting for a disk, or for a processor that others use, takes nothing from anybody.
    this.#mostOwnMs = Math.max(this.#mostOwnMs, this.#computingCpuMs() - cpuAtStart);
  }

  /** CPU time of the thread that computes the unit. */
  #computingCpuMs(): number {
    return this.#platform.cpuMs() - (this.#platform.otherThreadsCpuMs?.() ?? 0);
  }

  /** Keeps the state now, whenever it was kept last; false where it cannot be kept. */
  async keep(execution: Pick<UnitExecution, 'capture'>): Promise<boolean> {
    if (this.#unit.checkpoint === undefined) return false;
    await this.#saving;
    this.#save(execution);
    await this.#saving;
    return this.#trouble === null;
  }

  #isDue(now: number): boolean {
    const { checkpoint } = this.#unit;
    if (checkpoint === undefined || this.#saving !== null) return false;
    const sinceMs = now - this.#lastAt;
    if (sinceMs >= checkpoint.everyMs) return true;
    // A thread computes no longer than the clock goes: most steps need not ask for its CPU time.
    if (sinceMs < LEAST_INTERVAL_MS) return false;
    // By the clock, one that got a processor again after it had waited for one long would lose more than its part.
    const computedMs = this.#computingCpuMs() - this.#lastAtCpuMs;
    return (
      computedMs >= LEAST_INTERVAL_MS &&
      computedMs >= (this.#lastAtCpuMs - this.#begunAtCpuMs) * MOST_LOST &&
      computedMs >= (this.#mostOwnMs + this.#mostOthersMs) * COST_FACTOR
    );
  }

  #save(execution: Pick<UnitExecution, 'capture'>): void {
    const { checkpoint, id } = this.#unit;
    if (checkpoint === undefined) return;
    const othersAtStart = this.#platform.otherThreadsCpuMs?.() ?? 0;
    const snapshot = execution.capture(this.#identity);
    if (checkpoint.path === null) {
      this.#sendWhole(id, snapshot);
    } else if (this.#platform.checkpoints !== undefined) {
      this.#saving = this.#platform.checkpoints
        .save(checkpoint.path, snapshot)
        // A full disk costs the chance to resume, nothing else.
        .then(
          () => this.#tell(null),
          (error: unknown) => this.#tell(messageOf(error)),
        )
        .finally(() => {
          this.#saving = null;
          const othersMs = (this.#platform.otherThreadsCpuMs?.() ?? 0) - othersAtStart;
          this.#mostOthersMs = Math.max(this.#mostOthersMs, othersMs);
        });
    }
    this.#count++;
    this.#lastAt = performance.now();
    this.#lastAtCpuMs = this.#computingCpuMs();
  }

  /** A copy of all memory, for which a tab may have no room: that costs the chance to resume, nothing else. */
  #sendWhole(id: number, snapshot: UnitSnapshot): void {
    try {
      this.#platform.send({ type: 'snapshot', id, bytes: encodeSnapshot(snapshot) });
      this.#tell(null);
    } catch (error) {
      this.#tell(messageOf(error));
    }
  }

  /** Says when it begins, becomes another one and is over, not at every attempt. */
  #tell(trouble: string | null): void {
    const isNews = trouble !== this.#trouble;
    this.#trouble = trouble;
    if (isNews) this.#platform.send({ type: 'checkpoint-trouble', id: this.#unit.id, reason: trouble });
  }

  /** Gives a save in progress a moment, since steps may be long and leave it no other. */
  async #letSave(): Promise<void> {
    if (this.#saving === null) return;
    await Promise.race([this.#saving, new Promise((resolve) => setTimeout(resolve, SAVE_MOMENT_MS))]);
  }

  /** A finished unit's snapshot is of no use; after a failure of this host it is. */
  async end({ outcome }: Ending): Promise<void> {
    await this.#saving;
    const path = this.#unit.checkpoint?.path;
    if (outcome === 'infrastructure' || typeof path !== 'string') return;
    try {
      this.#platform.checkpoints?.remove(path);
    } catch {
      // On a disk that has begun to refuse writes it stays, and harms nobody: the result is what counts.
    }
  }

  #find(): { header: SnapshotHeader; payload: Uint8Array } | null {
    const { checkpoint } = this.#unit;
    if (checkpoint === undefined) return null;
    if (checkpoint.path !== null) return this.#platform.checkpoints?.load(checkpoint.path) ?? null;
    if (checkpoint.from === null) return null;
    const { header, payloadStart } = decodeHeader(checkpoint.from);
    return { header, payload: checkpoint.from.subarray(payloadStart) };
  }

  #isOwn(header: SnapshotHeader): boolean {
    return (
      header.runtimeVersion === RUNTIME_VERSION &&
      header.moduleSha256 === this.#identity.moduleSha256 &&
      header.unitKey === this.#identity.unitKey
    );
  }
}
