import { hotPool, JobCleaner, PreparedStatement, unitsWithTasks } from '@gleaner/coordinator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestApplication, createVolunteer, seedJob, type TestApplication } from '../support/index.js';

const PARTITIONS = 50;
const UNITS_PER_PARTITION = 2 ** 22;
/** Of jobs that nobody asks about. */
const OTHER_UNITS = 60_000;
const UNITS = 20_000;
const CONNECTIONS = 8;

const readRows = z.tuple([z.object({ reads: z.coerce.number() })]);
const idRows = z.array(z.object({ id: z.string() }));

let gleaner: TestApplication;
let accountId: string;
beforeAll(async () => {
  gleaner = await createTestApplication({
    env: { GLEANER_ROLE: 'api', GLEANER_DATABASE_CONNECTIONS: String(CONNECTIONS) },
  });
  ({ accountId } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'scientist'));
  const { dataSource } = gleaner;
  await dataSource.query('SELECT make_unit_partitions($1)', [PARTITIONS * UNITS_PER_PARTITION]);
  const { jobId } = await seedJob(dataSource, { units: 1, accountId, state: 'paused' });
  await dataSource.query(
    `INSERT INTO work_unit (id, job_id, index_in_job, state, wanted, params, windows)
     SELECT n % ${PARTITIONS} * ${UNITS_PER_PARTITION}::bigint + n, $1, n, 'valid', 2, '{}', '{}'
       FROM generate_series(1, ${OTHER_UNITS}) n`,
    [jobId],
  );
  await dataSource.query(
    `INSERT INTO task (unit_id, ordinal, account_id, host_id, distinct_key, state, credit_eligible, anonymous)
     SELECT id, 0, $1, 1, 1, 'valid', true, false FROM work_unit`,
    [accountId],
  );
  await dataSource.query("SELECT setval('work_unit_id_seq', $1)", [PARTITIONS * UNITS_PER_PARTITION]);
});
afterAll(() => gleaner.close());

/** Rows of tasks, or of what their indexes name, that were read so far. Every connection holds back what it has read lately. */
async function readsOfTasks(): Promise<number> {
  const runners = Array.from({ length: CONNECTIONS }, () => gleaner.dataSource.createQueryRunner());
  await Promise.all(runners.map((runner) => runner.query('SELECT pg_stat_force_next_flush()')));
  await Promise.all(runners.map((runner) => runner.release()));
  // One statement after the other has one connection there.
  await hotPool(gleaner.dataSource).query('SELECT pg_stat_force_next_flush()');
  const rows: unknown = await gleaner.dataSource.query(
    `SELECT (SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables WHERE relname LIKE 'task\\_p%')
          + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE 'task\\_p%') AS reads`,
  );
  return readRows.parse(rows)[0].reads;
}

async function aJob(): Promise<number> {
  const { jobId } = await seedJob(gleaner.dataSource, { units: UNITS, accountId });
  await gleaner.dataSource.query('ANALYZE work_unit; ANALYZE task');
  return jobId;
}

it('cancels a job without reading the tasks of others', async () => {
  const jobId = await aJob();
  await gleaner.dataSource.query("UPDATE job SET state = 'cancelled' WHERE id = $1", [jobId]);
  const before = await readsOfTasks();
  await gleaner.app.get(JobCleaner).clean(String(jobId));
  expect((await readsOfTasks()) - before).toBeLessThan(OTHER_UNITS / 10);
  const open: unknown = await gleaner.dataSource.query(
    "SELECT id FROM work_unit WHERE job_id = $1 AND state <> 'cancelled'",
    [jobId],
  );
  expect(idRows.parse(open)).toEqual([]);
});

it('draws a job without reading the tasks of others', async () => {
  const jobId = await aJob();
  const before = await readsOfTasks();
  await gleaner.http.get(`/v1/public/jobs/${jobId}`).expect(200);
  expect((await readsOfTasks()) - before).toBeLessThan(OTHER_UNITS / 10);
});

it('looks for what volunteers have of a job without reading the tasks of others', async () => {
  const jobId = await aJob();
  const find = new PreparedStatement('find-by-account', unitsWithTasks('t.account_id = $3'));
  const before = await readsOfTasks();
  const found = await find.run(hotPool(gleaner.dataSource), [jobId, 0, accountId]);
  expect(found).toMatchObject([{ found: null }]);
  expect((await readsOfTasks()) - before).toBeLessThan(OTHER_UNITS / 10);
});
