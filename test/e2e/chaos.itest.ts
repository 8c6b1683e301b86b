import { join } from 'node:path';
import { openDataSource } from '@gleaner/coordinator';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createVolunteer,
  freePort,
  goToPartitionBorder,
  seedJob,
  TestHost,
  testRedisUrl,
} from '../support/index.js';
import {
  chaosDirectory,
  CoordinatorProcess,
  Persistent,
  Postgres,
  Redis,
  type Victim,
} from './chaos-support.js';

const UNITS = 3_000;
const VOLUNTEERS = 12;
const OPERATOR_TOKEN = `gln_${'c'.repeat(43)}`;
/** A killed coordinator's tickets come back when their lock has expired; a flushed queue's with the next sweeps. */
const RECOVERY_MS = 400_000;

interface Counts {
  readonly valid: number;
  readonly open: number;
  /** Units of all jobs. */
  readonly validOfAll: number;
  readonly countedTwice: number;
  readonly validTasks: number;
  readonly creditEntries: number;
  readonly creditedTwice: number;
  readonly accountTasks: number;
  readonly hostTasks: number;
  readonly cyclesAgree: boolean;
  readonly tally: number;
  readonly leases: number;
}

describe.skipIf(testRedisUrl() === null)('when everything is killed once under load', () => {
  let directory: Awaited<ReturnType<typeof chaosDirectory>>;
  let postgres: Postgres;
  let redis: Redis;
  let coordinators: CoordinatorProcess[];
  let database: DataSource;
  let jobId: number;

  beforeAll(async () => {
    directory = await chaosDirectory();
    postgres = await Postgres.create(join(directory.path, 'postgres'));
    redis = await Redis.create(join(directory.path, 'redis'));
    await Promise.all([postgres.start(), redis.start()]);
    const env = {
      GLEANER_DATA: join(directory.path, 'data'),
      GLEANER_LOG_LEVEL: process.env['GLEANER_TEST_LOG'] ?? 'fatal',
      GLEANER_OPERATOR_TOKEN: OPERATOR_TOKEN,
      GLEANER_ALLOW_SAME_NETWORK: '1',
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
    };
    coordinators = [
      new CoordinatorProcess(await freePort(), env),
      new CoordinatorProcess(await freePort(), env),
    ];
    for (const coordinator of coordinators) await coordinator.start();
    database = await openDataSource({ url: postgres.url, connections: 2 });
    await goToPartitionBorder(database, UNITS / 2);
  });
  afterAll(async () => {
    await database.destroy();
    await Promise.all(coordinators.map((coordinator) => coordinator.stop()));
    await redis.stop();
    await postgres.stop();
    await directory.remove();
  });

  it.each([
    ['remembers', true],
    ['forgets', false],
  ])(
    'and Redis %s its queues, every unit is validated, credit is granted exactly once, and no account counts twice for a unit',
    async (_title, remembers) => {
      redis.remembers = remembers;
      const urls = coordinators.map(({ url }) => url);
      const scientist = await createVolunteer(urls[0]!, OPERATOR_TOKEN, 'scientist');
      ({ jobId } = await seedJob(database, { units: UNITS, accountId: scientist.accountId }));
      const volunteers: Persistent[] = [];
      for (let n = 0; n < VOLUNTEERS; n += 1) {
        const { token } = await createVolunteer(urls[0]!, OPERATOR_TOKEN, `volunteer ${n}`);
        volunteers.push(new Persistent(await TestHost.attach(urls[0]!, { token, cores: 64 }), urls, 2));
      }
      const working = volunteers.map((volunteer) => volunteer.run());

      await killAt(0.1, coordinators[1]!);
      await killAt(0.3, redis);
      await killAt(0.5, postgres);
      await expect.poll(() => validUnits(), { timeout: RECOVERY_MS, interval: 500 }).toBe(UNITS);
      for (const volunteer of volunteers) volunteer.stop();
      await Promise.all(working);

      const counts = await readCounts();
      const refused = volunteers.flatMap(({ errors }) => errors.filter((error) => error.includes('refused')));
      console.log(
        `chaos (Redis ${remembers ? 'remembers' : 'forgets'}):`,
        JSON.stringify({ ...counts, refused: refused.length }),
      );
      expect(counts).toMatchObject({
        valid: UNITS,
        open: 0,
        countedTwice: 0,
        creditedTwice: 0,
        cyclesAgree: true,
        tally: UNITS,
      });
      // Late results of the same answer earn as well: every valid task exactly once.
      expect(counts.creditEntries).toBe(counts.validTasks);
      expect(counts.accountTasks).toBe(counts.validTasks);
      expect(counts.hostTasks).toBe(counts.validTasks);
      expect(counts.validTasks).toBeGreaterThanOrEqual(2 * counts.validOfAll);
      // Whoever was given a task of a unit that was settled meanwhile is not left computing it.
      await expect.poll(async () => (await readCounts()).leases, { timeout: RECOVERY_MS }).toBe(0);
    },
    2 * RECOVERY_MS,
  );

  /** Kills the victim once this share of the units is valid, and starts it again. */
  async function killAt(share: number, victim: Victim): Promise<void> {
    await expect
      .poll(() => validUnits(), { timeout: RECOVERY_MS, interval: 50 })
      .toBeGreaterThanOrEqual(share * UNITS);
    await victim.kill();
    await victim.start();
  }

  /** -1 while Postgres is away. */
  async function validUnits(): Promise<number> {
    try {
      const [row]: Array<{ valid: number }> = await database.query(
        "SELECT count(*)::int AS valid FROM work_unit WHERE job_id = $1 AND state = 'valid'",
        [jobId],
      );
      return row?.valid ?? 0;
    } catch {
      return -1;
    }
  }

  /** Of the job its units and tally; of tasks, credit and leases all that there are. */
  async function readCounts(): Promise<Counts> {
    const [counts]: Counts[] = await database.query(
      `SELECT
         (SELECT count(*)::int FROM work_unit WHERE job_id = $1 AND state = 'valid') AS valid,
         (SELECT count(*)::int FROM work_unit WHERE job_id = $1 AND state = 'open') AS open,
         (SELECT count(*)::int FROM work_unit WHERE state = 'valid') AS "validOfAll",
         (SELECT count(*)::int FROM (SELECT FROM task WHERE counts GROUP BY unit_id, account_id HAVING count(*) > 1) t)
           AS "countedTwice",
         (SELECT count(*)::int FROM task WHERE state = 'valid') AS "validTasks",
         (SELECT count(*)::int FROM credit_entry) AS "creditEntries",
         (SELECT count(*)::int FROM (SELECT FROM credit_entry GROUP BY unit_id, account_id HAVING count(*) > 1) c)
           AS "creditedTwice",
         (SELECT sum(tasks)::int FROM account_credit) AS "accountTasks",
         (SELECT sum(credited_tasks)::int FROM host_standing) AS "hostTasks",
         (SELECT sum(cycles) FROM credit_entry) = (SELECT sum(cycles) FROM account_credit)
           AND (SELECT sum(cycles) FROM credit_entry) = (SELECT sum(cycles) FROM host_standing) AS "cyclesAgree",
         (SELECT units_valid::int FROM job_tally WHERE job_id = $1) AS tally,
         (SELECT count(*)::int FROM lease) AS leases`,
      [jobId],
    );
    if (!counts) throw new Error('no counts');
    return counts;
  }
});
