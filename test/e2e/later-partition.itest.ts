import type { TaskAssignment } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goToPartitionBorder, honestResult, type TestHost } from '../support/index.js';
import { DispatchFixture } from '../support/dispatch-fixture.js';

const UNITS = 6;

describe('units of a later partition', () => {
  let dispatch: DispatchFixture;
  let anna: TestHost;
  let ben: TestHost;

  beforeAll(async () => {
    dispatch = await DispatchFixture.start();
    await goToPartitionBorder(dispatch.gleaner.dataSource, 0);
    anna = await dispatch.aHost();
    ben = await dispatch.aHost();
  });
  afterAll(() => dispatch.close());

  async function tasksOf(host: TestHost): Promise<TaskAssignment[]> {
    const tasks: TaskAssignment[] = [];
    await expect.poll(async () => tasks.push(...(await host.ask(UNITS - tasks.length)).tasks)).toBe(UNITS);
    return tasks;
  }

  it('saves the whole of a decision while the sums of a host are changed by another', async () => {
    const job = await dispatch.aJob({ units: UNITS });
    await anna.report(...(await tasksOf(anna)).map((task) => honestResult(task)));
    const tasks = await tasksOf(ben);
    await using rival = await dispatch.rivalHolding(
      'UPDATE host_standing SET error_tasks = error_tasks WHERE host_id = $1',
      [ben.attached.hostId],
    );
    const reported = ben.report(...tasks.map((task) => honestResult(task)));
    await rival.isWaitedFor();
    await rival.commit();
    await reported;
    await dispatch.becomes(job, 'valid');
    const states = await dispatch.query<{ state: string; tasks: number }>(
      'SELECT state, count(*)::int AS tasks FROM task WHERE unit_id BETWEEN $1 AND $2 GROUP BY state',
      [job.firstUnitId, job.lastUnitId],
    );
    expect(states).toEqual([{ state: 'valid', tasks: 2 * UNITS }]);
  });
});
