import {
  hotPool,
  JobCleaner,
  LeasesService,
  runReports,
  SweepService,
  ValidationService,
} from '@gleaner/coordinator';
import type { ResultReport } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checked, DispatchFixture, honestResult, type SeededJob, type TestHost } from '../support/index.js';

let dispatch: DispatchFixture;
let sweep: () => Promise<void>;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
  const sweeper = dispatch.gleaner.app.get(SweepService);
  sweep = sweeper.sweep.bind(sweeper);
  // The coordinator's own would stand in the same queues, and end leases that are raced for here.
  vi.spyOn(sweeper, 'sweep').mockResolvedValue();
});
afterAll(() => dispatch.close());

const PATIENCE = { timeout: 20_000 };

/** What comes of `actions` that all wait, one behind the other, for a row that somebody else has locked. */
async function queued<T>(
  lock: readonly [statement: string, id: number | string],
  ...actions: ReadonlyArray<() => Promise<T>>
): Promise<Array<PromiseSettledResult<T>>> {
  await using rival = await dispatch.rivalHolding(lock[0], [lock[1]]);
  const begun: Array<Promise<T>> = [];
  for (const act of actions) {
    begun.push(act());
    await rival.isWaitedForBy(begun.length);
  }
  await rival.commit();
  return await Promise.allSettled(begun);
}

const theTask = ({ firstUnitId }: SeededJob) =>
  ['SELECT FROM task WHERE unit_id = $1 FOR UPDATE', firstUnitId] as const;

const store = (host: TestHost, reports: readonly ResultReport[]): Promise<unknown> =>
  runReports(
    hotPool(dispatch.gleaner.dataSource),
    reports.map((report) => checked(report, host).report),
  );
const expire = (): Promise<unknown> => dispatch.gleaner.app.get(LeasesService).expire();
const decide = (units: ReadonlyMap<number, { kind: 'examined' | 'cancelled' }>): Promise<unknown> =>
  dispatch.gleaner.app.get(ValidationService).apply(units);

async function remove(path: string, token: string, body?: object): Promise<number> {
  const response = await fetch(new URL(path, dispatch.gleaner.url), {
    method: 'DELETE',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  return response.status;
}

/** Does not wait long before it is the one who gives up where two wait for each other. */
const leave = ({ attached }: TestHost): Promise<() => void> =>
  dispatch.gleaner.dataSource.transaction(async (manager) => {
    await manager.query("SET LOCAL deadlock_timeout = '20ms'");
    return await dispatch.gleaner.app.get(LeasesService).returnAllOf(manager, [attached.hostId]);
  });

async function tasksAndLeases(job: SeededJob): Promise<object[]> {
  return dispatch.query(
    `SELECT t.state, count(l.*)::integer AS leases FROM task t LEFT JOIN lease l USING (unit_id, ordinal)
      WHERE t.unit_id BETWEEN $1 AND $2 GROUP BY t.unit_id, t.ordinal, t.state ORDER BY t.unit_id, t.ordinal`,
    [job.firstUnitId, job.lastUnitId],
  );
}

describe('who ends the same task at the same moment takes turns, and nobody fails', () => {
  it('a result that comes at its deadline', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    const report = honestResult(await dispatch.aTask(host));
    await dispatch.endLeases(job);
    expect(await queued(theTask(job), () => store(host, [report]), expire)).toMatchObject([
      { status: 'fulfilled', value: [{ stored: true }] },
      { status: 'fulfilled', value: 0 },
    ]);
    expect(await tasksAndLeases(job)).toEqual([{ state: 'reported', leases: 0 }]);
  });

  it('results that come at their deadline in any order', async () => {
    const job = await dispatch.aJob({ units: 2 });
    const host = await dispatch.aHost();
    const reports = [await dispatch.aTask(host), await dispatch.aTask(host)].map((task) =>
      honestResult(task),
    );
    const lastFirst = reports.toSorted((a, b) => Number(b.taskId) - Number(a.taskId));
    await dispatch.query('UPDATE lease SET expires_at = now() WHERE host_id = $1', [host.attached.hostId]);
    expect(await queued(theTask(job), expire, () => store(host, lastFirst))).toMatchObject([
      { status: 'fulfilled', value: 2 },
      { status: 'fulfilled', value: [{ stored: false }, { stored: false }] },
    ]);
    const lost = { state: 'lost', leases: 0 };
    expect(await tasksAndLeases(job)).toEqual([lost, lost]);
  });

  it('a host that leaves while its unit is decided on', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    await dispatch.aTask(host);
    const cancel = (): Promise<unknown> => decide(new Map([[job.firstUnitId, { kind: 'cancelled' }]]));
    expect(await queued<unknown>(theTask(job), cancel, () => leave(host))).toMatchObject([
      { status: 'fulfilled' },
      { status: 'fulfilled' },
    ]);
    expect(await tasksAndLeases(job)).toEqual([{ state: 'aborted', leases: 0 }]);
  });

  it('somebody who deletes their account while a decision pays them for the first time', async () => {
    const job = await dispatch.aJob({ units: 2, replication: { quorum: 3 } });
    const person = await dispatch.aPerson();
    const hosts = [await dispatch.aHost({ of: person }), await dispatch.aHost()] as const;
    for (const host of hosts) {
      const tasks = [await dispatch.aTask(host), await dispatch.aTask(host)];
      const [first] = tasks.filter(({ taskId }) => taskId.startsWith(`${job.firstUnitId}.`));
      await host.report(honestResult(first!));
    }
    await dispatch.query('UPDATE job SET quorum = 2 WHERE id = $1', [job.jobId]);
    const [account] = await dispatch.query<{ name: string }>('SELECT name FROM account WHERE id = $1', [
      person.accountId,
    ]);
    // Of what a decision writes, standings come after tasks, and before the references to accounts are checked.
    const theOther = [
      'SELECT FROM host_standing WHERE host_id = $1 FOR UPDATE',
      hosts[1].attached.hostId,
    ] as const;
    const pay = (): Promise<unknown> =>
      decide(
        new Map([
          [job.firstUnitId, { kind: 'examined' }],
          [job.lastUnitId, { kind: 'cancelled' }],
        ]),
      );
    const goForGood = (): Promise<number> => remove('/v1/accounts/me', person.token, account);
    expect(await queued<unknown>(theOther, pay, goForGood)).toMatchObject([
      { status: 'fulfilled' },
      { status: 'fulfilled', value: 204 },
    ]);
    expect(await dispatch.creditOf(...hosts)).toEqual(['123456', '123456']);
  });
});

it('units that somebody leaves behind are given to others at once, however long leaving takes', async () => {
  const job = await dispatch.aJob();
  const person = await dispatch.aPerson();
  await dispatch.aTask(await dispatch.aHost({ of: person }));
  await dispatch.aTask(await dispatch.aHost());
  const [account] = await dispatch.query<{ name: string }>('SELECT name FROM account WHERE id = $1', [
    person.accountId,
  ]);
  await using rival = await dispatch.rivalHolding('SELECT FROM api_token WHERE account_id = $1 FOR UPDATE', [
    person.accountId,
  ]);
  const gone = remove('/v1/accounts/me', person.token, account);
  await rival.isWaitedForBy(1);
  // Whatever was announced by now is decided on before this.
  const other = await dispatch.aJob();
  await dispatch.contribute(await dispatch.aHost(), await dispatch.aHost());
  await dispatch.becomes(other, 'valid');
  await rival.commit();
  expect(await gone).toBe(204);
  await expect
    .poll(() => dispatch.query('SELECT wanted FROM work_unit WHERE id = $1', [job.firstUnitId]), PATIENCE)
    .toEqual([{ wanted: 3 }]);
});

it('nothing is left of a task that was given out while its job was removed', async () => {
  const { jobId, firstUnitId } = await dispatch.aJob();
  const host = await dispatch.aHost();
  const ticketed = 'SELECT FROM work_unit WHERE id = $1 AND ticketed > 0';
  await expect.poll(() => dispatch.query(ticketed, [firstUnitId]), PATIENCE).toHaveLength(1);
  await using rival = await dispatch.rivalHolding('SELECT pg_advisory_xact_lock(8400002, $1::integer)', [
    host.attached.hostId,
  ]);
  const asked = host.ask();
  await rival.isWaitedForBy(1);
  await dispatch.query("UPDATE job SET state = 'cancelled', deleted_at = now() WHERE id = $1", [jobId]);
  await dispatch.gleaner.app.get(JobCleaner).clean(String(jobId));
  await rival.commit();
  const itsTask = expect.stringMatching(`^${firstUnitId}\\.`) as string;
  expect(await asked).toMatchObject({ tasks: [{ taskId: itsTask }] });
  await sweep();
  const left = `SELECT 'task' FROM task WHERE unit_id = $1 UNION ALL SELECT 'lease' FROM lease WHERE unit_id = $1`;
  expect(await dispatch.query(left, [firstUnitId])).toEqual([]);
});
