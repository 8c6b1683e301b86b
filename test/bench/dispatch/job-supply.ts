import { setTimeout as delay } from 'node:timers/promises';
import type { QueueService } from '@gleaner/coordinator';
import type { DataSource } from 'typeorm';
import { insertJob } from './seed.js';

const UNITS_PER_JOB = 30_000;
const CHECK_MS = 500;

/** A scientist who never lets the volunteers run out of work: submits another job whenever too few units are left. */
export class JobSupply {
  private timer: NodeJS.Timeout | undefined;
  private submitted = 0;
  private checking = false;

  constructor(
    private readonly database: DataSource,
    private readonly queues: QueueService,
    private readonly unitsAhead: number,
  ) {}

  /** Resolves when the first job is split: there is work from then on. */
  async start(): Promise<void> {
    await this.check();
    while (!(await this.isRunning())) await delay(CHECK_MS);
    // What fails once is tried again at the next tick.
    this.timer = setInterval(() => void this.check().catch(() => undefined), CHECK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async check(): Promise<void> {
    if (this.checking) return;
    this.checking = true;
    try {
      let left = await this.unitsLeft();
      while (left < this.unitsAhead) {
        this.submitted += 1;
        const jobId = await insertJob(this.database, `bench ${this.submitted}`, UNITS_PER_JOB);
        await this.queues.queue('split').add({ jobId }, { dedupeId: jobId });
        left += UNITS_PER_JOB;
      }
    } finally {
      this.checking = false;
    }
  }

  private async isRunning(): Promise<boolean> {
    const rows: unknown[] = await this.database.query("SELECT FROM job WHERE state = 'running' LIMIT 1");
    return rows.length > 0;
  }

  /** Units of jobs that split or run, settled ones not counted. */
  private async unitsLeft(): Promise<number> {
    const [row]: Array<{ units: string }> = await this.database.query(
      `SELECT coalesce(sum(CASE WHEN j.state = 'splitting' THEN $1 ELSE j.units_split - coalesce(t.units_valid, 0) END), 0)
              AS units
         FROM job j LEFT JOIN job_tally t ON t.job_id = j.id WHERE j.state IN ('splitting', 'running')`,
      [UNITS_PER_JOB],
    );
    return Number(row?.units ?? 0);
  }
}
