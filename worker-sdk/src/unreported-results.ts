import { LIMITS, type ReportAnswer, type ResultReport } from '@gleaner/protocol';
import type { Emitter } from './emitter.js';
import type { HeldResult, TaskStore } from './held-task.js';
import type { WorkerEvents } from './worker-events.js';

/** Reports in one call: a slow line carries them (64 s at 16 KiB/s) within the two minutes that the coordinator gives a body. */
const MAX_REPORT_BYTES = 1024 * 1024;

interface Unreported {
  readonly result: HeldResult;
  notBeforeMs: number;
}

export interface UnreportedResultsComponents {
  readonly store: TaskStore;
  readonly events: Emitter<WorkerEvents>;
}

/** Results that the coordinator has not acknowledged yet. Each is on the disk until it has, unless the disk took nothing. */
export class UnreportedResults {
  readonly #results = new Map<string, Unreported>();

  constructor(private readonly components: UnreportedResultsComponents) {}

  get size(): number {
    return this.#results.size;
  }

  get taskIds(): string[] {
    return [...this.#results.keys()];
  }

  has(taskId: string): boolean {
    return this.#results.has(taskId);
  }

  /** Takes a result that has been kept, as far as that was possible. */
  add(result: HeldResult): void {
    this.#results.set(result.report.taskId, { result, notBeforeMs: 0 });
  }

  /** Reports that may be sent now, as many as one call may carry. */
  due(nowMs: number): ResultReport[] {
    const due: ResultReport[] = [];
    let bytes = 0;
    for (const { result, notBeforeMs } of this.#results.values()) {
      if (notBeforeMs > nowMs) continue;
      bytes += sizeOf(result.report);
      if (due.length > 0 && bytes > MAX_REPORT_BYTES) break;
      due.push(result.report);
      if (due.length === LIMITS.tasksPerCall) break;
    }
    return due;
  }

  /** Milliseconds until a deferred report may be sent again; Infinity when none waits. */
  untilNextMs(nowMs: number): number {
    let untilMs = Number.POSITIVE_INFINITY;
    for (const { notBeforeMs } of this.#results.values()) untilMs = Math.min(untilMs, notBeforeMs - nowMs);
    return Math.max(0, untilMs);
  }

  /** Forgets acknowledged results and defers those that the coordinator could not store now. */
  async answered(answers: readonly ReportAnswer[], retryAtMs: number): Promise<void> {
    for (const answer of answers) {
      const unreported = this.#results.get(answer.taskId);
      if (!unreported) continue;
      this.components.events.emit('report-answered', answer);
      if (answer.status === 'retry') {
        unreported.notBeforeMs = retryAtMs;
      } else {
        this.#results.delete(answer.taskId);
        const keep = answer.status !== 'refused' && unreported.result.keptOutputs.length > 0;
        // What cannot be removed is told again by the next run, which changes nothing.
        await this.components.store.dropResult(answer.taskId, keep).catch(() => undefined);
      }
    }
  }
}

/** About how many bytes the report takes in a body; exact where it matters, in the inline outputs. */
function sizeOf(report: ResultReport): number {
  let bytes = 1024 + 2 * (report.stderr?.length ?? 0);
  for (const output of report.outputs) bytes += 200 + (output.base64?.length ?? 0);
  return bytes;
}
