import { Examiner, ValidationService } from '@gleaner/coordinator';
import type { HeartbeatResponse, TaskAssignment } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DispatchFixture, honestResult, resultWithout, type TestHost } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

function heartbeat(host: TestHost, body: object): Promise<HeartbeatResponse> {
  return host.post<HeartbeatResponse>('/v1/heartbeat', body);
}

describe('tasks in progress', () => {
  it('are kept while they are wanted, and aborted once their unit is settled', async () => {
    await dispatch.aJob({ replication: { quorum: 1, maxTasks: 3 } });
    const [slow, fast] = [await dispatch.aHost(), await dispatch.aHost()];
    const task = await dispatch.aTask(slow);
    expect((await heartbeat(slow, { running: [{ taskId: task.taskId }] })).tasks).toEqual([
      { taskId: task.taskId, action: 'keep' },
    ]);
    await heartbeat(slow, { running: [], returned: [task.taskId] });
    await fast.report(honestResult(await dispatch.aTask(fast)));
    await expect
      .poll(async () => (await heartbeat(slow, { running: [{ taskId: task.taskId }] })).tasks[0]?.action)
      .toBe('abort');
  });

  it('are given again after an hour to a host that gave them back twice', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    for (let returned = 0; returned < 2; returned += 1) {
      await heartbeat(host, { running: [], returned: [(await dispatch.aTask(host)).taskId] });
    }
    await dispatch.query("UPDATE task SET assigned_at = assigned_at - interval '1 hour' WHERE unit_id = $1", [
      job.firstUnitId,
    ]);
    await dispatch.aTask(host);
  });

  it('go to another account at once when their host leaves', async () => {
    const job = await dispatch.aJob({ replication: { quorum: 1 } });
    const [leaving, staying] = [await dispatch.aHost(), await dispatch.aHost()];
    await dispatch.aTask(leaving);
    expect((await staying.work({ request: { maxTasks: 1, memoryMiB: 4096, cores: 1 } })).tasks).toEqual([]);
    await heartbeat(leaving, { running: [], leaving: true });
    await staying.report(honestResult(await dispatch.aTask(staying)));
    await dispatch.becomes(job, 'valid');
  });

  it('leave their host room with the decision that settles their unit', async () => {
    const { firstUnitId } = await dispatch.aJob();
    await dispatch.aTask(await dispatch.aHost());
    await dispatch.gleaner.app
      .get(ValidationService)
      .apply(new Map([[firstUnitId, { kind: 'cancelled' as const }]]));
    const leases = 'SELECT FROM lease WHERE unit_id = $1';
    expect(await dispatch.query(leases, [firstUnitId])).toEqual([]);
  });

  it('of an agent end with the deadline that their job gives them', async () => {
    const job = await dispatch.aJob();
    const { deadlineMs } = await dispatch.aTask(await dispatch.aHost());
    const leases = await dispatch.query(
      `SELECT expires_at = deadline_at AS at_deadline, expires_at <= now() + $2 * interval '1 ms' AS is_near
         FROM lease WHERE unit_id = $1`,
      [job.firstUnitId, deadlineMs],
    );
    expect(leases).toEqual([{ at_deadline: true, is_near: true }]);
  });

  it('of a browser end with its lease, which its own heartbeats extend up to the deadline, and no other’s', async () => {
    const job = await dispatch.aJob({ replication: { quorum: 1 } });
    await dispatch.query(
      'UPDATE app_version SET stepping = true WHERE id = (SELECT app_version_id FROM job WHERE id = $1)',
      [job.jobId],
    );
    const tab = await dispatch.aHost({ kind: 'browser' });
    const task = await dispatch.aTask(tab);
    const leaseMs = async (): Promise<number> => {
      const [lease] = await dispatch.query<{ ms: number }>(
        'SELECT (extract(epoch FROM expires_at - now()) * 1000)::float8 AS ms FROM lease WHERE unit_id = $1',
        [job.firstUnitId],
      );
      return lease?.ms ?? 0;
    };
    expect(await leaseMs()).toBeLessThanOrEqual(600_000);
    await dispatch.query("UPDATE lease SET expires_at = now() + interval '1 minute' WHERE unit_id = $1", [
      job.firstUnitId,
    ]);
    const another = await dispatch.aHost({ kind: 'browser' });
    await heartbeat(another, { running: [{ taskId: task.taskId }] });
    expect(await leaseMs()).toBeLessThanOrEqual(60_000);
    await heartbeat(tab, { running: [{ taskId: task.taskId }] });
    expect(await leaseMs()).toBeGreaterThan(500_000);
    await dispatch.query("UPDATE lease SET deadline_at = now() + interval '1 minute' WHERE unit_id = $1", [
      job.firstUnitId,
    ]);
    await heartbeat(tab, { running: [{ taskId: task.taskId }] });
    expect(await leaseMs()).toBeLessThanOrEqual(60_000);
    await dispatch.endLeases(job);
    await dispatch.sweep();
    await dispatch.aTask(await dispatch.aHost());
  });

  it('that were lost still count when their result comes before the unit settles', async () => {
    const job = await dispatch.aJob();
    const [late, other] = [await dispatch.aHost(), await dispatch.aHost()];
    const task = await dispatch.aTask(late);
    await dispatch.endLeases(job);
    await dispatch.sweep();
    const tasks = 'SELECT state FROM task WHERE unit_id = $1';
    await expect.poll(() => dispatch.query(tasks, [job.firstUnitId])).toContainEqual({ state: 'lost' });
    expect((await late.report(honestResult(task))).reports[0]?.status).toBe('accepted');
    await other.report(honestResult(await dispatch.aTask(other)));
    await dispatch.becomes(job, 'valid');
  });

  /** A task that was given up, whose unit others have settled since. */
  async function aLateTask(): Promise<{ late: TestHost; task: TaskAssignment; others: TestHost[] }> {
    const job = await dispatch.aJob();
    const [late, ...others] = [await dispatch.aHost(), await dispatch.aHost(), await dispatch.aHost()];
    const task = await dispatch.aTask(late);
    await dispatch.endLeases(job);
    await dispatch.sweep();
    await dispatch.contribute(...others);
    await dispatch.becomes(job, 'valid');
    return { late, task, others };
  }

  it('that were lost earn after their unit has settled, also where nobody hears of their result', async () => {
    const { late, task, others } = await aLateTask();
    const announce = vi.spyOn(dispatch.gleaner.app.get(Examiner), 'announce').mockReturnValue();
    await late.report(honestResult(task));
    announce.mockRestore();
    const [earned] = await dispatch.creditOf(...others);
    expect(await dispatch.creditOf(late)).toEqual([earned]);
  });

  it('that were lost do not make a unit forget why it failed', async () => {
    const job = await dispatch.aJob();
    const [late, ...others] = [await dispatch.aHost(), await dispatch.aHost(), await dispatch.aHost()];
    const trap = { outcome: 'trap', trapKind: 'unreachable' } as const;
    const task = await dispatch.aTask(late);
    await dispatch.endLeases(job);
    await dispatch.sweep();
    for (const other of others) await other.report(resultWithout(await dispatch.aTask(other), trap));
    await dispatch.becomes(job, 'failed');
    expect((await late.report(resultWithout(task, trap))).reports).toMatchObject([{ status: 'accepted' }]);
    const units = await dispatch.query('SELECT failure FROM work_unit WHERE id = $1', [job.firstUnitId]);
    expect(units).toEqual([{ failure: '2 volunteers agree that it ends with "trap"' }]);
  });

  it('that could not be computed count for the host that had them, whichever of its account reports', async () => {
    await dispatch.aJob();
    const person = await dispatch.aPerson();
    const [had, reporter] = [await dispatch.aHost({ of: person }), await dispatch.aHost({ of: person })];
    await reporter.report(resultWithout(await dispatch.aTask(had), { outcome: 'infrastructure' }));
    const errors = 'SELECT error_tasks::integer AS errors FROM host_standing WHERE host_id = $1';
    expect(await dispatch.query(errors, [had.attached.hostId])).toEqual([{ errors: 1 }]);
    expect(await dispatch.query(errors, [reporter.attached.hostId])).toEqual([{ errors: 0 }]);
  });

  it('that were lost are to be reported again where their settled unit cannot be looked at, and others are not', async () => {
    const { late, task: lost, others } = await aLateTask();
    await dispatch.aJob();
    const open = await dispatch.aTask(late);
    const examine = vi.spyOn(dispatch.gleaner.app.get(ValidationService), 'examine');
    examine.mockRejectedValue(new Error('the database is away'));
    const first = await late.report(honestResult(lost), honestResult(open));
    examine.mockRestore();
    expect(first.reports).toMatchObject([
      { taskId: lost.taskId, status: 'retry' },
      { taskId: open.taskId, status: 'accepted' },
    ]);
    const again = await late.report(honestResult(lost));
    expect(again.reports[0]?.status).not.toBe('retry');
    const [earned] = await dispatch.creditOf(...others);
    expect(await dispatch.creditOf(late)).toEqual([earned]);
  });

  describe.each(['valid', 'cancelled'])(
    'of a unit that was %s by a decision that did not see them',
    (state) => {
      async function anUnwantedTask(): Promise<{
        host: TestHost;
        task: TaskAssignment;
        left: () => Promise<object[]>;
      }> {
        const job = await dispatch.aJob();
        const host = await dispatch.aHost();
        const task = await dispatch.aTask(host);
        await dispatch.query('UPDATE work_unit SET state = $2, settled_at = now() WHERE id = $1', [
          job.firstUnitId,
          state,
        ]);
        const left = () =>
          dispatch.query(
            `SELECT t.state, count(l.*)::int AS leases FROM task t LEFT JOIN lease l USING (unit_id, ordinal)
            WHERE t.unit_id = $1 GROUP BY t.state`,
            [job.firstUnitId],
          );
        return { host, task, left };
      }

      it('are broken off when their host next says that it computes them', async () => {
        const { host, task, left } = await anUnwantedTask();
        const { tasks } = await heartbeat(host, { running: [{ taskId: task.taskId }] });
        const reason = `the work unit is ${state}; its result is no longer needed`;
        expect(tasks).toEqual([{ taskId: task.taskId, action: 'abort', reason }]);
        expect(await left()).toEqual([{ state: 'aborted', leases: 0 }]);
      });

      it('are taken from a host that says nothing, long before their deadline', async () => {
        const { left } = await anUnwantedTask();
        // The ones of a valid unit wait for the coordinator's own sweep.
        if (state === 'cancelled') await dispatch.sweep();
        await expect.poll(left, { timeout: 60_000 }).toEqual([{ state: 'aborted', leases: 0 }]);
      });
    },
  );

  it('whose answer got lost are given to others once their idle host says what it holds', async () => {
    const job = await dispatch.aJob({ replication: { quorum: 1 } });
    const [forgetful, other] = [await dispatch.aHost(), await dispatch.aHost()];
    await dispatch.aTask(forgetful);
    await dispatch.query("UPDATE task SET assigned_at = now() - interval '1 minute' WHERE unit_id = $1", [
      job.firstUnitId,
    ]);
    await forgetful.work({ holding: [], request: { maxTasks: 1, memoryMiB: 4096, cores: 1 } });
    await other.report(honestResult(await dispatch.aTask(other)));
    await dispatch.becomes(job, 'valid');
  });

  it('of a host that two agents work as stay, whatever one of them does not name or gives back, and both are told', async () => {
    const { firstUnitId } = await dispatch.aJob({ replication: { quorum: 1 } });
    const host = await dispatch.aHost();
    const { taskId } = await dispatch.aTask(host);
    await dispatch.query("UPDATE task SET assigned_at = now() - interval '1 hour' WHERE unit_id = $1", [
      firstUnitId,
    ]);
    const [computing, idle] = ['c'.repeat(16), '1'.repeat(16)];
    const beatOf = (instance: string, more: object) => heartbeat(host, { instance, running: [], ...more });
    const bothBeat = async () => [
      (await beatOf(computing, { running: [{ taskId }] })).isUsedTwice,
      (await beatOf(idle, {})).isUsedTwice,
    ];

    expect(await bothBeat()).toEqual([undefined, undefined]);
    const realNow = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => realNow() + 120_000);
    try {
      expect(await bothBeat()).toEqual([undefined, true]);
      expect(await bothBeat()).toEqual([true, true]);
      const request = { maxTasks: 1, memoryMiB: 4096, cores: 1 };
      expect(await host.work({ instance: idle, holding: [], request })).toMatchObject({
        tasks: [],
        isUsedTwice: true,
      });
      await beatOf(idle, { leaving: true });
      expect((await beatOf(computing, { running: [{ taskId }] })).tasks).toEqual([
        { taskId, action: 'keep' },
      ]);
    } finally {
      clock.mockRestore();
    }
  });
});
