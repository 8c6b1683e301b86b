/**
 * `npm run bench:split -- --units 10000000 --json`: a job of many units, submitted and watched over HTTP: how fast it is split, how
 * soon a volunteer has the first task, how much memory the coordinator takes meanwhile, and how long cancelling takes, midway and
 * at the end.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgres, openDataSource } from '@gleaner/coordinator';
import { MERSENNE_HUNT_WASM_PATH } from '@gleaner/example-mersenne-hunt';
import type { Job } from '@gleaner/protocol';
import { RUNTIME_VERSION } from '@gleaner/sandbox';
import type { DataSource } from 'typeorm';
import { readCommandLine, wholeNumber } from '../support/command-line.js';
import { TestHost } from '../support/test-host.js';
import { useUntilInterrupted } from '../support/use-until-interrupted.js';
import { Science } from '../web/showcase/science.js';
import { startCoordinator, type CoordinatorProcess } from './dispatch/servers.js';

const POLL_MS = 250;
const ASK_MS = 20;
const TOLD_MS = 10_000;
const MIB = 1024 * 1024;
/** What proc(5) counts resident memory in. */
const PAGE_BYTES = 4096;

const COMMAND = {
  start: 'npm run bench:split',
  purpose: 'How fast a large job is split and cancelled, and in how much memory.',
  options: {
    units: { type: 'string', default: '10000000', help: 'of the job, 10000 to 10000000' },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
} as const;

const { values } = readCommandLine(COMMAND);
const units = wholeNumber(COMMAND, 'units', values.units, { min: 10_000, max: 10_000_000 });

interface Measured {
  readonly units: number;
  readonly submissionMs: number;
  /** From the submission until a volunteer has a task, and the units written by then. */
  readonly firstTaskMs: number;
  readonly unitsAtFirstTask: number;
  readonly splitSeconds: number;
  readonly unitsPerSecond: number;
  /** Resident memory of the coordinator before the job, at its greatest, and after each tenth of the units. */
  readonly memoryMiB: {
    readonly before: number;
    readonly greatest: number;
    readonly atTenths: readonly number[];
  };
  readonly slowestStatusMs: number;
  readonly cancelledWhole: Cancelled;
  /** Of a second job, cancelled when a fifth of it was split. */
  readonly cancelledMidway: Cancelled;
}

interface Cancelled {
  readonly units: number;
  readonly answeredMs: number;
  /** Until every unit is at rest. */
  readonly seconds: number;
}

interface Installation {
  readonly directory: string;
  readonly postgres: EmbeddedPostgres;
  readonly coordinator: CoordinatorProcess;
  readonly database: DataSource;
}

const operatorToken = `gln_${randomBytes(32).toString('base64url')}`;

async function start(): Promise<Installation> {
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-split-'));
  // As root Postgres runs as another user, who has to pass through here.
  await chmod(directory, 0o711);
  const postgres = await EmbeddedPostgres.start({ directory: join(directory, 'postgres') });
  const coordinator = await startCoordinator({
    GLEANER_DATA: join(directory, 'data'),
    GLEANER_OPERATOR_TOKEN: operatorToken,
    DATABASE_URL: postgres.url,
  });
  const database = await openDataSource({ url: postgres.url, connections: 2 });
  return { directory, postgres, coordinator, database };
}

async function stop({ directory, postgres, coordinator, database }: Installation): Promise<void> {
  await database.destroy();
  await coordinator.stop();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}

async function main({ coordinator, database }: Installation): Promise<void> {
  const url = `http://127.0.0.1:${coordinator.port}`;
  const science = await Science.begin(url, operatorToken, 'scientist');
  const app = await science.publish('mersenne-hunt', await readFile(MERSENNE_HUNT_WASM_PATH));
  const host = await TestHost.attach(url, { token: await science.volunteer('volunteer') });
  const measured = await new LargeJob(science, app, host, coordinator.pid, database).measure();
  process.stdout.write(`${JSON.stringify(measured, null, values.json ? 0 : 2)}\n`);
}

/** A scientist who watches such a job. */
class LargeJob {
  private slowestStatusMs = 0;
  private toldMs = 0;

  constructor(
    private readonly science: Science,
    private readonly app: string,
    private readonly host: TestHost,
    private readonly coordinatorPid: number,
    private readonly database: DataSource,
  ) {}

  async measure(): Promise<Measured> {
    const before = await this.memoryMiB();
    const submittedMs = performance.now();
    const jobId = await this.submit();
    const submissionMs = Math.round(performance.now() - submittedMs);
    await this.firstTask();
    const firstTaskMs = Math.round(performance.now() - submittedMs);
    const unitsAtFirstTask = (await this.look(jobId)).units.total;
    const atTenths: number[] = [];
    let greatest = before;
    await this.watch(jobId, async ({ state, units: { total } }) => {
      const memory = await this.memoryMiB();
      greatest = Math.max(greatest, memory);
      while (atTenths.length < Math.floor((10 * total) / units)) atTenths.push(memory);
      return state !== 'splitting';
    });
    const splitSeconds = (performance.now() - submittedMs) / 1000;
    const cancelledWhole = await this.cancel(jobId);
    const secondId = await this.submit();
    await this.watch(secondId, ({ units: { total } }) => total >= units / 5);
    const cancelledMidway = await this.cancel(secondId);
    return {
      units,
      submissionMs,
      firstTaskMs,
      unitsAtFirstTask,
      splitSeconds: Math.round(splitSeconds),
      unitsPerSecond: Math.round(units / splitSeconds),
      memoryMiB: { before, greatest, atTenths },
      slowestStatusMs: this.slowestStatusMs,
      cancelledWhole,
      cancelledMidway,
    };
  }

  private async firstTask(): Promise<void> {
    for (;;) {
      const { tasks } = await this.host.work({
        runtimeVersions: [RUNTIME_VERSION],
        request: { maxTasks: 1, memoryMiB: 4096, cores: 4 },
      });
      if (tasks.length > 0) return;
      await delay(ASK_MS);
    }
  }

  private async submit(): Promise<string> {
    return await this.science.submit({
      name: 'large',
      app: this.app,
      split: [{ kind: 'range', name: 'p', from: 0, to: units, step: 1 }],
      args: ['{p.from}', '{p.to}'],
      outputs: ['stdout'],
      limits: { maxCycles: '100000000000', memoryMiB: 16 },
      taskDeadline: 'PT1H',
      merge: { kind: 'lines', sortBy: ['p'], unique: true },
    });
  }

  private async cancel(jobId: string): Promise<Cancelled> {
    const cancelledMs = performance.now();
    await this.science.cancel(jobId);
    const answeredMs = Math.round(performance.now() - cancelledMs);
    const job = await this.watch(jobId, () => this.isAtRest(jobId));
    return {
      units: job.units.total,
      answeredMs,
      seconds: Math.round((performance.now() - cancelledMs) / 1000),
    };
  }

  /** The API counts the units of a cancelled job as cancelled, also those that nobody has come to yet. */
  private async isAtRest(jobId: string): Promise<boolean> {
    const open: unknown[] = await this.database.query(
      "SELECT FROM work_unit WHERE job_id = $1 AND state IN ('open', 'awaiting-output') LIMIT 1",
      [jobId],
    );
    return open.length === 0;
  }

  /** Looks again and again until the job has come as far as is wished. */
  private async watch(jobId: string, isThere: (job: Job) => boolean | Promise<boolean>): Promise<Job> {
    for (;;) {
      const job = await this.look(jobId);
      if (await isThere(job)) return job;
      this.tell(job);
      await delay(POLL_MS);
    }
  }

  private async look(jobId: string): Promise<Job> {
    const askedMs = performance.now();
    const job = await this.science.job(jobId);
    this.slowestStatusMs = Math.max(this.slowestStatusMs, Math.round(performance.now() - askedMs));
    return job;
  }

  private tell({ state, units: { total } }: Job): void {
    if (performance.now() - this.toldMs < TOLD_MS) return;
    this.toldMs = performance.now();
    process.stderr.write(`bench:split: ${state}, ${total} units\n`);
  }

  private async memoryMiB(): Promise<number> {
    const [, pages = 0] = (await readFile(`/proc/${this.coordinatorPid}/statm`, 'utf8'))
      .split(' ')
      .map(Number);
    return Math.round((pages * PAGE_BYTES) / MIB);
  }
}

await useUntilInterrupted(start, main, stop);
