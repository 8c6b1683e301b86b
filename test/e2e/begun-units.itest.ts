import { TicketFeeder } from '@gleaner/coordinator';
import { CLASS_ABREAST_MAX } from '@gleaner/domain';
import type { TaskAssignment } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestApplication,
  DispatchFixture,
  honestResult,
  type SeededJob,
  seedJob,
  type TestApplication,
  type TestHost,
  testRedisUrl,
} from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

const CLASSES = ['agent-64', 'agent-1024'] as const;
const ANYBODY = {
  party: { accountId: '0', personId: '0', hostId: '0', anonymous: false, network: null },
  classes: CLASSES,
  abreast: [],
  canJoin: () => false,
};

/** Waits until a coordinator has so many tickets of a job in its memory. */
async function ticketsAtHand(
  { jobId }: SeededJob,
  count: number,
  { app }: Pick<TestApplication, 'app'> = dispatch.gleaner,
): Promise<void> {
  const feeder = app.get(TicketFeeder);
  await expect
    .poll(async () => {
      await feeder.want(CLASSES);
      return feeder.store.glance(ANYBODY, 1000).filter((ticket) => ticket.jobId === jobId).length;
    })
    .toBe(count);
}

const isOf =
  ({ firstUnitId, lastUnitId }: SeededJob) =>
  ({ taskId }: TaskAssignment): boolean => {
    const unitId = Number(taskId.split('.')[0]);
    return unitId >= firstUnitId && unitId <= lastUnitId;
  };

const unitsOf = (tasks: readonly TaskAssignment[]): string[] =>
  tasks.map(({ taskId }) => taskId.split('.')[0] ?? '').toSorted();

/** Up to so many tasks by one call, reported. */
async function contribute(host: TestHost, maxTasks: number, memoryMiB = 4096): Promise<TaskAssignment[]> {
  const { tasks } = await host.work({ request: { maxTasks, memoryMiB, cores: 4 } });
  if (tasks.length > 0) await host.report(...tasks.map((task) => honestResult(task)));
  return tasks;
}

describe('what others have begun', () => {
  // With the few lanes of Postgres two volunteers would meet anyway.
  it.skipIf(testRedisUrl() === null)(
    'is finished first: two new volunteers agree on all that they may compute on their first day, on 8 lanes',
    async () => {
      const job = await dispatch.aJob({ units: 100 });
      const hosts = [await dispatch.aHost(), await dispatch.aHost()];
      await ticketsAtHand(job, 200);
      const done = new Map(hosts.map((host) => [host, 0]));
      for (let call = 0; call < 4; call += 1) {
        for (const host of hosts) done.set(host, (done.get(host) ?? 0) + (await contribute(host, 4)).length);
      }
      expect([...done.values()]).toEqual([16, 16]);
      const valid = "SELECT count(*)::int AS units FROM work_unit WHERE job_id = $1 AND state = 'valid'";
      await expect.poll(() => dispatch.query(valid, [job.jobId])).toEqual([{ units: 16 }]);
    },
  );

  it('is finished first also by who asks another coordinator, or one that was started since', async () => {
    const job = await dispatch.aJob({ units: 100 });
    const [host, other] = [await dispatch.aHost(), await dispatch.aHost()];
    await ticketsAtHand(job, 200);
    const begun = await host.take(16);
    const { databaseUrl, dataDir } = dispatch.gleaner.config;
    const beside = await createTestApplication({
      databaseUrl: databaseUrl ?? '',
      dataDir,
      redis: testRedisUrl() !== null,
      env: { GLEANER_TRUST_PROXY: '1' },
    });
    try {
      // The first one gives back what nobody asks it for any more.
      await ticketsAtHand(job, 200 - 16, beside);
      other.url = beside.url;
      expect(unitsOf(await other.take(16))).toEqual(unitsOf(begun));
    } finally {
      await beside.close();
    }
  });

  it('by an app that no operator approved keeps nobody from other work', async () => {
    const units = 16;
    const unapproved = await dispatch.aJob({ units, approved: false, replication: { distinct: 'host' } });
    const own = await dispatch.aHost({ of: dispatch.scientist });
    expect((await own.take(units)).every(isOf(unapproved))).toBe(true);
    await dispatch.expectNothingFor(own, 'already-has-task');
    const { accountId } = await dispatch.aPerson();
    const approved = await seedJob(dispatch.gleaner.dataSource, { units, accountId });
    const [host, other] = [await dispatch.aHost(), await dispatch.aHost()];
    await ticketsAtHand(approved, 2 * units);
    for (const each of [host, other, host, other]) {
      const tasks = await contribute(each, 1);
      expect(tasks.map(isOf(approved))).toEqual([true]);
    }
  });

  it('keeps no host from what fewer hosts can do', async () => {
    const small = await dispatch.aJob({ units: 100 });
    const of = await dispatch.aPerson();
    const machines = await Promise.all(Array.from({ length: 6 }, () => dispatch.aHost({ of })));
    await ticketsAtHand(small, 200);
    let begun = 0;
    for (const machine of machines) begun += (await contribute(machine, 16, 64)).filter(isOf(small)).length;
    expect(begun).toBeGreaterThan(CLASS_ABREAST_MAX);
    const { accountId } = dispatch.scientist;
    const large = await seedJob(dispatch.gleaner.dataSource, { units: 4, accountId, memoryMiB: 1024 });
    await ticketsAtHand(large, 8);
    const host = await dispatch.aHost();
    const tasks: TaskAssignment[] = [];
    // A few requests are for what was refused to others.
    for (let call = 0; call < 12; call += 1) tasks.push(...(await contribute(host, 1)));
    expect(tasks.filter(isOf(large))).toHaveLength(4);
  });
});
