import { notePlace, openDataSource } from '@gleaner/coordinator';
import { job as jobSchema } from '@gleaner/protocol';
import { afterEach, expect, it } from 'vitest';
import {
  createTestApplication,
  createTestDatabase,
  createVolunteer,
  honestResult,
  restoreTestDatabase,
  runOn,
  seedJob,
  type TestApplication,
  type TestDatabase,
  TestHost,
} from '../support/index.js';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import { anApprovedApp } from '../e2e/volunteering/science.js';

const UNITS_PER_PARTITION = 1 << 22;

const running: TestApplication[] = [];
const databases: TestDatabase[] = [];
afterEach(async () => {
  for (const gleaner of running.splice(0)) await gleaner.close();
  for (const database of databases.splice(0)) await database.drop();
});

async function start(database: TestDatabase): Promise<TestApplication> {
  const gleaner = await createTestApplication({ databaseUrl: database.url });
  running.push(gleaner);
  return gleaner;
}

it('what an agent keeps from after the backup is never taken for the result of a unit that came later', async () => {
  const original = await createTestDatabase();
  databases.push(original);
  let gleaner = await start(original);
  const { accountId } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'scientist');
  const { token } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'volunteer');
  const host = await TestHost.attach(gleaner.url, { token });
  const one = { accountId, replication: { quorum: 1 }, units: 1 };
  const first = await seedJob(gleaner.dataSource, one);
  await host.report(honestResult((await host.ask()).tasks[0]!));
  await running.pop()?.close();
  const backup = await restoreTestDatabase(original);
  databases.push(backup);

  gleaner = await start(original);
  host.url = gleaner.url;
  const lost = await seedJob(gleaner.dataSource, one);
  const [kept] = (await host.ask()).tasks;
  await running.pop()?.close();

  gleaner = await start(backup);
  host.url = gleaner.url;
  const later = await seedJob(gleaner.dataSource, one);
  expect(later.firstUnitId).not.toBe(lost.firstUnitId);
  expect(later.firstUnitId).toBeGreaterThan(first.lastUnitId);
  const [given] = (await host.ask()).tasks;
  expect(given?.taskId).not.toBe(kept!.taskId);
  const { reports } = await host.report(honestResult(kept!), honestResult(given!));
  expect(reports.map(({ status }) => status)).toEqual(['refused', 'accepted']);
});

it('ids go on as they were while the database is where it was, and far behind once it is elsewhere', async () => {
  const database = await createTestDatabase();
  databases.push(database);
  const gleaner = await start(database);
  const nextId = async (): Promise<number> => {
    const [row]: Array<{ id: string }> = await gleaner.dataSource.query(
      "SELECT nextval('work_unit_id_seq') AS id",
    );
    return Number(row?.id);
  };
  const partitions = (): Promise<unknown> =>
    gleaner.dataSource.query(
      `SELECT inhparent::regclass::text AS of, count(*)::int AS partitions FROM pg_inherits
        WHERE inhparent IN ('work_unit'::regclass, 'task'::regclass) GROUP BY 1 ORDER BY 1`,
    );
  const first = await nextId();
  const [before] = (await partitions()) as [{ partitions: number }]; // `as`: what is selected
  expect(await notePlace(gleaner.dataSource, null)).toBe(false);
  expect(await nextId()).toBe(first + 1);
  await gleaner.dataSource.query("UPDATE installation SET place = 'elsewhere'");
  expect(await notePlace(gleaner.dataSource, null)).toBe(true);
  const far = await nextId();
  expect(far).toBeGreaterThan(first + 2 ** 32);
  // No partition lies between, and the next ones are made as ever.
  await gleaner.dataSource.query('SELECT make_unit_partitions($1)', [far + UNITS_PER_PARTITION]);
  expect(await partitions()).toEqual([
    { of: 'task', partitions: before.partitions + 2 },
    { of: 'work_unit', partitions: before.partitions + 2 },
  ]);
});

it('a job that is split after another server took over gets ids that the one before had not given', async () => {
  const database = await createTestDatabase();
  databases.push(database);
  const gleaner = await start(database);
  const { project, app, scientist } = await anApprovedApp(gleaner, 'hello', helloModule('hello\n').original);
  const firstIdOf = async (name: string): Promise<number> => {
    const spec = { name, app, split: [{ kind: 'range', name: 'n', from: 0, to: 1, step: 1 }] };
    const { id } = jobSchema.parse((await scientist.post('/v1/jobs', { project, spec }).expect(202)).body);
    const ids = (): Promise<Array<{ id: string }>> =>
      gleaner.dataSource.query('SELECT id FROM work_unit WHERE job_id = $1', [id]);
    await expect.poll(ids).toHaveLength(1);
    return Number((await ids())[0]?.id);
  };
  const before = await firstIdOf('before');
  expect(await firstIdOf('same')).toBe(before + 1);
  await gleaner.dataSource.query("UPDATE installation SET place = 'elsewhere'");
  expect(await firstIdOf('after')).toBeGreaterThan(before + 2 ** 32);
});

it('a server that does not tell who it is keeps nobody from starting', async () => {
  const database = await createTestDatabase();
  databases.push(database);
  const role = `someone_${new URL(database.url).pathname.slice(6)}`;
  await runOn(
    database.url,
    `REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() FROM PUBLIC;
     CREATE ROLE ${role} LOGIN PASSWORD 'someone'; GRANT SELECT, UPDATE ON installation TO ${role};
     GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
  );
  const url = Object.assign(new URL(database.url), { username: role, password: 'someone' });
  const dataSource = await openDataSource({ url: url.href, connections: 2 });
  try {
    expect(await notePlace(dataSource, null)).toBe(false);
    const places: unknown = await dataSource.query('SELECT place FROM installation');
    expect(places).toEqual([{ place: expect.stringMatching(/^unknown\/\d+\/\d+$/) as unknown }]);
  } finally {
    await dataSource.destroy();
    await runOn(database.url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});
