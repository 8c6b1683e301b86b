import type { DataSource } from 'typeorm';
import { LatencyHistogram } from './latency-histogram.js';

const SLICE_MS = 1_000;
/** Statements that are named for each slice: those that took most of Postgres' time in it. */
const NAMED = 4;
/** What takes less of a slice is not worth a name. */
const WORTH_MS = 10;

interface StatementRow {
  readonly id: string;
  readonly total_ms: number;
  readonly query: string;
}

/** Tells second by second how long calls took and which statements Postgres was busy with: what stalls calls shows there. */
export class Timeline {
  private slice = new LatencyHistogram();
  private calls = 0;
  private timer: NodeJS.Timeout | undefined;
  private before = new Map<string, number>();

  constructor(
    private readonly database: DataSource,
    private readonly tell: (line: string) => void,
  ) {}

  async start(): Promise<void> {
    await this.busiest();
    const startMs = performance.now();
    this.timer = setInterval(() => {
      const { slice, calls } = this;
      this.slice = new LatencyHistogram();
      this.calls = 0;
      const second = Math.round((performance.now() - startMs) / 1000);
      this.busiest()
        .then((named) =>
          this.tell(
            `${String(second).padStart(3)} s ${String(calls).padStart(5)} calls  p50 ${slice.percentileMs(0.5).toFixed(0).padStart(4)} ` +
              `p99 ${slice.percentileMs(0.99).toFixed(0).padStart(4)} ms  ${named.join(' | ')}`,
          ),
        )
        .catch((error: unknown) => this.tell(String(error)));
    }, SLICE_MS);
  }

  record(ms: number): void {
    this.calls += 1;
    this.slice.record(ms);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Since the call before: `milliseconds text` of the statements that took most. */
  private async busiest(): Promise<string[]> {
    const rows: StatementRow[] = await this.database.query(
      `SELECT queryid::text AS id, total_exec_time AS total_ms, regexp_replace(left(query, 400), '\\s+', ' ', 'g') AS query
         FROM pg_stat_statements WHERE toplevel`,
    );
    const took = rows.map(({ id, total_ms: totalMs, query }) => ({
      ms: totalMs - (this.before.get(id) ?? 0),
      query,
    }));
    this.before = new Map(rows.map(({ id, total_ms: totalMs }) => [id, totalMs]));
    return took
      .filter(({ ms }) => ms >= WORTH_MS)
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, NAMED)
      .map(({ ms, query }) => `${ms.toFixed(0)} ${query.slice(0, 48)}`);
  }
}
