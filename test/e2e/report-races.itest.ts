import {
  type CheckedReport,
  countEndedTasks,
  hotPool,
  JobCleaner,
  runReports,
  ValidationService,
} from '@gleaner/coordinator';
import { host as hostSchema, type ResultReport } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checked,
  DispatchFixture,
  honestResult,
  resultWithout,
  type Rival,
  type SeededJob,
} from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

const cancel = ({ firstUnitId }: SeededJob): Promise<void> =>
  dispatch.gleaner.app.get(ValidationService).apply(new Map([[firstUnitId, { kind: 'cancelled' }]]));

/** Of what a decision writes the unit comes first; locking it changes nothing. */
const whoHasTheUnit = ({ firstUnitId }: SeededJob): Promise<Rival> =>
  dispatch.rivalHolding('SELECT FROM work_unit WHERE id = $1 FOR UPDATE', [firstUnitId]);

describe('reports and decisions that do not see each other', () => {
  it('one of two results that are stored at the same moment calls for a look at the unit', async () => {
    await dispatch.aJob();
    const hosts = [await dispatch.aHost(), await dispatch.aHost()];
    const calls: boolean[] = [];
    const connections = await Promise.all(hosts.map(() => hotPool(dispatch.gleaner.dataSource).connect()));
    try {
      for (const [at, host] of hosts.entries()) {
        await connections[at]!.query('BEGIN');
        const { report } = checked(honestResult(await dispatch.aTask(host)), host);
        const [row] = await runReports(connections[at]!, [report]);
        expect(row).toMatchObject({ stored: true });
        calls.push(row?.unit_may_change ?? false);
      }
    } finally {
      for (const connection of connections) {
        await connection.query('COMMIT');
        connection.release();
      }
    }
    expect(calls).toEqual([false, true]);
  });

  it('a result that nobody could compute calls for a look at once', async () => {
    await dispatch.aJob();
    const host = await dispatch.aHost();
    const { report } = checked(
      resultWithout(await dispatch.aTask(host), { outcome: 'infrastructure' }),
      host,
    );
    const [row] = await runReports(hotPool(dispatch.gleaner.dataSource), [report]);
    expect(row).toMatchObject({ stored: true, unit_may_change: true });
  });

  it('a result that comes while the decision on its unit is saved is looked at again', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    const task = await dispatch.aTask(host);
    await using rival = await whoHasTheUnit(job);
    const cancelled = cancel(job);
    await rival.isWaitedFor();
    const { reports } = await host.report(honestResult(task));
    expect(reports).toMatchObject([{ status: 'accepted' }]);
    await rival.commit();
    await cancelled;
    const tasks = await dispatch.query('SELECT state, outputs FROM task WHERE unit_id = $1', [
      job.firstUnitId,
    ]);
    expect(tasks).toEqual([{ state: 'aborted', outputs: null }]);
    const ended = await dispatch.query(
      'SELECT aborted_tasks AS aborted FROM host_standing WHERE host_id = $1',
      [host.attached.hostId],
    );
    expect(ended).toEqual([{ aborted: '1' }]);
  });

  it('a result that comes while a decision is saved that does not know of its task is looked at afterwards', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    const ticketed = 'SELECT FROM work_unit WHERE id = $1 AND ticketed > 0';
    await expect.poll(() => dispatch.query(ticketed, [job.firstUnitId])).toHaveLength(1);
    await using rival = await whoHasTheUnit(job);
    const cancelled = cancel(job);
    await rival.isWaitedFor();
    const { reports } = await host.report(honestResult(await dispatch.aTask(host)));
    expect(reports).toMatchObject([{ status: 'accepted' }]);
    await rival.commit();
    await cancelled;
    const tasks = 'SELECT state, outputs FROM task WHERE unit_id = $1';
    await expect
      .poll(() => dispatch.query(tasks, [job.firstUnitId]))
      .toEqual([{ state: 'aborted', outputs: null }]);
  });

  it('a late result that comes while the decision on its unit is saved is looked at as what it is then', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    const task = await dispatch.aTask(host);
    await dispatch.endLeases(job);
    await dispatch.sweep();
    await using decision = await dispatch.rivalHolding(
      "UPDATE work_unit SET state = 'cancelled', settled_at = now() WHERE id = $1",
      [job.firstUnitId],
    );
    const reported = host.report(honestResult(task));
    await decision.isWaitedFor();
    await decision.commit();
    expect((await reported).reports).toMatchObject([{ status: 'retry' }]);
    expect((await host.report(honestResult(task))).reports).toMatchObject([{ status: 'refused' }]);
    const tasks = await dispatch.query('SELECT state FROM task WHERE unit_id = $1', [job.firstUnitId]);
    expect(tasks).toEqual([{ state: 'lost' }]);
  });

  it('a result is not left unjudged where its unit is cancelled while a lost ticket of it is made anew', async () => {
    const { jobId, firstUnitId } = await dispatch.aJob();
    await dispatch.contribute(await dispatch.aHost());
    // As the sweep leaves a unit whose first ticket was lost.
    await dispatch.query('UPDATE work_unit SET ticketed = 0, ticketed_at = NULL WHERE id = $1', [
      firstUnitId,
    ]);
    await dispatch.query("UPDATE job SET state = 'cancelled' WHERE id = $1", [jobId]);
    await dispatch.gleaner.app.get(JobCleaner).clean(String(jobId));
    const tasks = await dispatch.query('SELECT state, outputs FROM task WHERE unit_id = $1', [firstUnitId]);
    expect(tasks).toEqual([{ state: 'aborted', outputs: null }]);
  });

  it('late results for the same units in another order wait for each other, and not both', async () => {
    const job = await dispatch.aJob({ units: 2 });
    const hosts = [await dispatch.aHost(), await dispatch.aHost()];
    const batches: CheckedReport[][] = [];
    for (const host of hosts) {
      const tasks = [await dispatch.aTask(host), await dispatch.aTask(host)];
      const reports = tasks.map((task) => checked(honestResult(task), host).report);
      batches.push(reports.toSorted((a, b) => a.unitId - b.unitId));
    }
    const [upwards, downwards] = [batches[0]!, batches[1]!.toReversed()];
    await dispatch.query(
      "UPDATE task t SET state = 'lost', counts = false FROM work_unit u WHERE u.id = t.unit_id AND u.job_id = $1",
      [job.jobId],
    );
    await using rival = await whoHasTheUnit(job);
    const stored: Array<ReturnType<typeof runReports>> = [];
    for (const reports of [upwards, downwards]) {
      stored.push(runReports(hotPool(dispatch.gleaner.dataSource), reports));
      await rival.isWaitedForBy(stored.length);
    }
    await rival.commit();
    for (const each of await Promise.allSettled(stored)) {
      expect(each).toMatchObject({ status: 'fulfilled', value: [{ stored: true }, { stored: true }] });
    }
  });

  it('late results of one account for one unit are stored together, and count once', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    const reports: ResultReport[] = [];
    for (let n = 0; n < 2; n += 1) {
      reports.push(honestResult(await dispatch.aTask(host)));
      await dispatch.endLeases(job);
      await dispatch.sweep();
    }
    const accepted = { status: 'accepted' };
    expect((await host.report(...reports.toReversed())).reports).toMatchObject([accepted, accepted]);
    const counting = () =>
      dispatch.query('SELECT state, counts FROM task WHERE unit_id = $1 ORDER BY ordinal', [job.firstUnitId]);
    expect(await counting()).toEqual([
      { state: 'reported', counts: true },
      { state: 'reported', counts: false },
    ]);
    await dispatch.contribute(await dispatch.aHost());
    await dispatch.becomes(job, 'valid');
    await dispatch.earns([host], ['123456']);
  });

  it('a result that is refused does not leave its task in progress for ever', async () => {
    const { firstUnitId } = await dispatch.aJob();
    const host = await dispatch.aHost();
    const task = await dispatch.aTask(host);
    // By a decision that did not see the claim.
    await dispatch.query(
      "UPDATE work_unit SET state = 'failed', settled_at = now(), failure = 'no luck' WHERE id = $1",
      [firstUnitId],
    );
    expect((await host.report(honestResult(task))).reports).toMatchObject([{ status: 'refused' }]);
    await dispatch.sweep();
    const left = `SELECT t.state, count(l.*)::integer AS leases FROM task t LEFT JOIN lease l ON l.unit_id = t.unit_id
                   WHERE t.unit_id = $1 GROUP BY t.state`;
    expect(await dispatch.query(left, [firstUnitId])).toEqual([{ state: 'aborted', leases: 0 }]);
  });

  it('a late result may be counted before it is counted that its task was lost', async () => {
    const host = await dispatch.aHost();
    const { hostId } = host.attached;
    const lostTasks = async (): Promise<number> => {
      const url = new URL(`/v1/hosts/${hostId}`, dispatch.gleaner.url);
      const authorization = `Bearer ${host.attached.secret}`;
      return hostSchema.parse(await (await fetch(url, { headers: { authorization } })).json()).lostTasks;
    };
    const pool = hotPool(dispatch.gleaner.dataSource);
    await countEndedTasks(pool, [{ hostId, lost: -1, aborted: 0 }]);
    expect(await lostTasks()).toBe(0);
    await countEndedTasks(pool, [{ hostId, lost: 1, aborted: 0 }]);
    expect(await lostTasks()).toBe(0);
  });
});
