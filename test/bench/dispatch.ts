/**
 * `npm run bench:dispatch -- --k 1|8 [--coordinators 1|2] [--seconds 60] [--rate TASKS] [--timeline] [--json]`: validated tasks a second
 * through real coordinators over HTTP, with token authentication, quorum 2, credit and durable commits, while splitting,
 * filling, validating and assimilating run, the load generator on the same machine. See docs/benchmarks.md, "Dispatch".
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger, openDataSource, QueueService, readInstallation } from '@gleaner/coordinator';
import type { DataSource } from 'typeorm';
import { useUntilInterrupted } from '../support/use-until-interrupted.js';
import { cpuTimeUs, postgresTimesUs } from './dispatch/cpu-clock.js';
import { JobSupply } from './dispatch/job-supply.js';
import { randomReadNs } from './dispatch/memory-speed.js';
import { type BenchOptions, readOptions } from './dispatch/options.js';
import { seedDatabase, volunteersOf } from './dispatch/seed.js';
import { type Servers, startServers } from './dispatch/servers.js';
import { readStatementTimes, resetStatementTimes } from './dispatch/statement-times.js';
import { Timeline } from './dispatch/timeline.js';
import { Volunteers } from './dispatch/volunteers.js';

/** The closed loop that finds out what can be served, before the open loop that is measured. */
const CLOSED_LOOP_CONCURRENCY = 192;
const CLOSED_LOOP_SECONDS = 5;
/** It is not waited for longer than this until hosts have tasks to report. */
const FIRST_TURNS_SECONDS_MAX = 60;
const NEARLY_ALL = 0.98;
/** Share of it that the open loop offers: arrivals at random need some room. */
const OFFERED_SHARE = 0.7;
const UNITS_AHEAD = 120_000;
const MIB = 1024 * 1024;
/** In a core's own cache, in the one it shares, in none. */
const MEMORY_MIB = [0.5, 4, 64];

interface Reading {
  readonly atMs: number;
  readonly unitsValid: number;
  readonly nodeUs: number;
  readonly generatorUs: number;
  readonly postgresUs: number;
  readonly postgresByPurpose: ReadonlyMap<string, number>;
  readonly redisUs: number;
}

export interface DispatchReport {
  readonly k: number;
  readonly coordinators: number;
  readonly tasksPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of everything a task costs; `node` is the coordinators and the load generator. */
  readonly cpuUsPerTask: { readonly node: number; readonly postgres: number; readonly redis: number };
  readonly errors: number;
}

const options = readOptions(process.argv.slice(2));
await useUntilInterrupted(
  () => startServers(options),
  async (servers) => {
    const report = await measure(options, servers);
    console.log(options.json ? JSON.stringify(report) : report);
  },
  (servers) => servers.stop(),
);

async function measure(bench: BenchOptions, servers: Servers): Promise<DispatchReport> {
  const { postgres, redis } = servers;
  const database = await openDataSource({ url: postgres.url, connections: 4 });
  const { namespace } = await readInstallation(database);
  const queues = new QueueService({ kind: 'redis', url: redis.url, prefix: namespace }, createLogger('warn'));
  try {
    note('preparing the database');
    await seedDatabase(database, bench);
    note(
      `reads at random places: ${MEMORY_MIB.map((mib) => `${mib} MiB ${randomReadNs(mib * MIB).toFixed(0)} ns`).join(', ')}`,
    );
    await queues.open();
    const coordinators = await servers.startCoordinators();
    const supply = new JobSupply(database, queues, UNITS_AHEAD);
    await supply.start();
    const volunteers = new Volunteers(
      coordinators.map(({ port }) => ({ host: '127.0.0.1', port })),
      volunteersOf(bench.hosts),
      bench.k,
    );
    await takeFirstTurns(volunteers, bench);
    const rate = bench.rate ?? (await findRate(volunteers, bench));
    note(`offering ${rate} tasks/s`);
    volunteers.startOpenLoop(rate / bench.k);
    await delay(bench.warmUpSeconds * 1000);

    const read = (): Promise<Reading> => readAll(database, coordinators, postgres.pid, redis.pid);
    if (bench.statements) await resetStatementTimes(database);
    const timeline = bench.timeline ? new Timeline(database, note) : null;
    if (timeline) {
      volunteers.onLatency = (ms) => timeline.record(ms);
      await resetStatementTimes(database);
      await timeline.start();
    }
    volunteers.reset();
    const before = await read();
    await delay(bench.seconds * 1000);
    const after = await read();
    timeline?.stop();
    const load = volunteers.read();
    const { latencies } = volunteers;
    if (bench.statements) {
      const tasks = 2 * (after.unitsValid - before.unitsValid);
      for (const line of await readStatementTimes(database, tasks)) note(line);
    }
    await volunteers.stop();
    volunteers.close();
    supply.stop();
    if (load.firstError !== null) note(`first error: ${load.firstError}`);
    return summarise(bench, before, after, {
      errors: load.errors,
      p50Ms: latencies.percentileMs(0.5),
      p99Ms: latencies.percentileMs(0.99),
    });
  } finally {
    await queues.close();
    await database.destroy();
  }
}

/**
 * Has nearly every host call until it was given what it asked for, since calls without a result have nothing validated. Filling
 * lags behind at first, for they all ask at once.
 */
async function takeFirstTurns(volunteers: Volunteers, { hosts, k }: BenchOptions): Promise<void> {
  note('giving every host its first tasks');
  volunteers.startClosedLoop(CLOSED_LOOP_CONCURRENCY);
  const untilMs = performance.now() + FIRST_TURNS_SECONDS_MAX * 1000;
  while (volunteers.tasksInHand < NEARLY_ALL * hosts * k && performance.now() < untilMs) await delay(100);
  await volunteers.stop();
  note(`${hosts} hosts have ${volunteers.tasksInHand} tasks in hand`);
}

/** Tasks a second that a closed loop reaches, less some room. */
async function findRate(volunteers: Volunteers, { k }: BenchOptions): Promise<number> {
  note('finding out what can be served');
  volunteers.startClosedLoop(CLOSED_LOOP_CONCURRENCY);
  volunteers.reset();
  await delay(CLOSED_LOOP_SECONDS * 1000);
  const { tasksReported, firstError } = volunteers.read();
  await volunteers.stop();
  if (firstError !== null) note(`first error: ${firstError}`);
  const served = tasksReported / CLOSED_LOOP_SECONDS;
  note(`a closed loop reaches ${Math.round(served)} tasks/s`);
  return Math.max(k, Math.round(served * OFFERED_SHARE));
}

async function readAll(
  database: DataSource,
  coordinators: ReadonlyArray<{ readonly pid: number }>,
  postgresPid: number,
  redisPid: number,
): Promise<Reading> {
  const [row]: Array<{ units: string }> = await database.query(
    'SELECT coalesce(sum(units_valid), 0) AS units FROM job_tally',
  );
  const node = await Promise.all(coordinators.map(({ pid }) => cpuTimeUs(pid)));
  const own = process.cpuUsage();
  return {
    atMs: performance.now(),
    unitsValid: Number(row?.units ?? 0),
    nodeUs: node.reduce((sum, us) => sum + us, 0),
    generatorUs: own.user + own.system,
    postgresUs: await cpuTimeUs(postgresPid),
    postgresByPurpose: await postgresTimesUs(postgresPid, 'gleaner'),
    redisUs: await cpuTimeUs(redisPid),
  };
}

function summarise(
  { k, coordinators }: BenchOptions,
  before: Reading,
  after: Reading,
  seen: Pick<DispatchReport, 'errors' | 'p50Ms' | 'p99Ms'>,
): DispatchReport {
  const tasks = 2 * (after.unitsValid - before.unitsValid);
  const perTask = (us: number): number => Math.round((us / Math.max(1, tasks)) * 10) / 10;
  const generatorUs = after.generatorUs - before.generatorUs;
  note(`of "node", the load generator is ${perTask(generatorUs)} µs per task`);
  const purposes = [...after.postgresByPurpose].map(
    ([purpose, us]) => `${purpose} ${perTask(us - (before.postgresByPurpose.get(purpose) ?? 0))}`,
  );
  note(`of "postgres": ${purposes.join(', ')}`);
  return {
    k,
    coordinators,
    tasksPerSecond: Math.round((tasks * 1000) / (after.atMs - before.atMs)),
    p50Ms: seen.p50Ms,
    p99Ms: seen.p99Ms,
    cpuUsPerTask: {
      node: perTask(after.nodeUs - before.nodeUs + generatorUs),
      postgres: perTask(after.postgresUs - before.postgresUs),
      redis: perTask(after.redisUs - before.redisUs),
    },
    errors: seen.errors,
  };
}

function note(text: string): void {
  process.stderr.write(`bench:dispatch: ${text}\n`);
}
