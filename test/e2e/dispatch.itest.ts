import type { WorkResponse } from '@gleaner/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createTestApplication,
  createVolunteer,
  honestResult,
  Rival,
  seedJob,
  type TestApplication,
  TestHost,
  testRedisUrl,
} from '../support/index.js';

for (const redis of [true, false]) {
  describe.skipIf(redis && testRedisUrl() === null)(
    `dispatch with queues on ${redis ? 'Redis' : 'Postgres'}`,
    () => {
      let app: TestApplication;
      let anna: TestHost;
      let ben: TestHost;
      let scientist: { accountId: string; token: string };

      beforeAll(async () => {
        app = await createTestApplication({ redis, env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
        scientist = await createVolunteer(app.url, app.operatorToken, 'scientist');
        anna = await attach('Anna');
        ben = await attach('Ben');
      });
      afterAll(() => app.close());

      async function attach(name: string): Promise<TestHost> {
        const { token } = await createVolunteer(app.url, app.operatorToken, name);
        return TestHost.attach(app.url, { token });
      }

      async function settled(jobId: number): Promise<{ valid: number; failed: number; tasks: number }> {
        const [row]: Array<{ valid: number; failed: number; tasks: number }> = await app.dataSource.query(
          `SELECT units_valid::int AS valid, units_failed::int AS failed, tasks::int AS tasks FROM job_tally WHERE job_id = $1`,
          [jobId],
        );
        return row ?? { valid: 0, failed: 0, tasks: 0 };
      }

      it('validates each unit by two accounts and credits both once', async () => {
        const { jobId } = await seedJob(app.dataSource, { units: 20, accountId: scientist.accountId });
        for (const host of [anna, ben]) {
          let done = 0;
          while (done < 20) {
            const { tasks } = await host.ask(8);
            expect(tasks.length).toBeGreaterThan(0);
            const answer = await host.report(...tasks.map((task) => honestResult(task)));
            expect(answer.reports.map(({ status }) => status)).toEqual(tasks.map(() => 'accepted'));
            done += tasks.length;
          }
        }
        await expect.poll(() => settled(jobId)).toEqual({ valid: 20, failed: 0, tasks: 40 });
        const credit: unknown = await app.dataSource.query(
          'SELECT account_id, cycles::text, tasks::int FROM account_credit ORDER BY account_id',
        );
        expect(credit).toEqual(
          [anna, ben].map((host) => ({
            account_id: host.attached.accountId,
            cycles: String(20 * 123456),
            tasks: 20,
          })),
        );
      });

      it('counts only what a host could have had against its allowance, and names the true reason', async () => {
        const dora = await attach('Dora');
        const { jobId } = await seedJob(app.dataSource, { units: 6, accountId: scientist.accountId });
        await app.dataSource.query('UPDATE host_standing SET allowance_per_day = 8 WHERE host_id = $1', [
          dora.attached.hostId,
        ]);
        for (let done = 0; done < 6;) {
          const { tasks } = await dora.ask(6);
          expect(tasks.length).toBeGreaterThan(0);
          await dora.report(...tasks.map((task) => honestResult(task)));
          done += tasks.length;
        }
        // Two tasks of the allowance are left, and six tickets wait for somebody else.
        await expect
          .poll(async () => (await dora.ask(8, 4096, 1)).noWork.map(({ code }) => code))
          .toEqual(['already-has-task']);
        await app.dataSource.query("UPDATE job SET state = 'cancelled' WHERE id = $1", [jobId]);
      });

      it('lets a host whose allowance is used ask again soon: it grows with each confirmed result', async () => {
        const emil = await attach('Emil');
        const { jobId } = await seedJob(app.dataSource, { units: 6, accountId: scientist.accountId });
        await app.dataSource.query('UPDATE host_standing SET allowance_per_day = 2 WHERE host_id = $1', [
          emil.attached.hostId,
        ]);
        await emil.take(2);
        await expect
          .poll(async () => (await emil.ask(1, 4096, 1)).noWork.map(({ code }) => code))
          .toEqual(['allowance-used']);
        expect((await emil.ask(1, 4096, 1)).retryAfterMs).toBeLessThanOrEqual(10_000);
        await app.dataSource.query("UPDATE job SET state = 'cancelled' WHERE id = $1", [jobId]);
      });

      it('answers a repeated report with what is stored and changes nothing', async () => {
        await seedJob(app.dataSource, { units: 1, accountId: scientist.accountId });
        const { tasks } = await anna.ask();
        const result = honestResult(tasks[0]!);
        expect((await anna.report(result)).reports[0]?.status).toBe('accepted');
        expect((await anna.report(result)).reports[0]?.status).toBe('repeat');
        const [first, second] = (await anna.report(result, result)).reports;
        expect([first?.status, second?.status]).toEqual(['repeat', 'repeat']);
        expect((await ben.report(result)).reports[0]).toMatchObject({
          status: 'refused',
          reason: 'this account has no such task',
        });
      });
    },
  );
}

describe('claims of one host that are worked on at the same time', () => {
  let app: TestApplication;
  let host: TestHost;

  beforeAll(async () => {
    app = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
    const scientist = await createVolunteer(app.url, app.operatorToken, 'scientist');
    await seedJob(app.dataSource, { units: 400, accountId: scientist.accountId });
    const other = await attach();
    expect((await other.ask()).tasks.length).toBe(1); // From now on tickets are at hand.
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    host = await attach();
    await host.work(); // From now on it has a standing.
  });

  async function attach(): Promise<TestHost> {
    const { token } = await createVolunteer(app.url, app.operatorToken, 'Anna');
    return TestHost.attach(app.url, { token });
  }

  /** Asks for 16 tasks, as a machine of one core: that is what it may have in progress. */
  function ask(): Promise<WorkResponse> {
    return host.work({ request: { maxTasks: 16, memoryMiB: 4096, cores: 1 } });
  }

  /** Asks twice, and lets neither claim commit before both have come as far as they can, each on a connection of its own. */
  async function askTwiceAtOnce(): Promise<WorkResponse[]> {
    // What a claim writes last.
    await using rival = await Rival.holding(
      app.dataSource,
      "INSERT INTO host_allowance (host_id, day, used) VALUES ($1, '1970-01-01', 0)",
      [host.attached.hostId],
    );
    const answers: Array<Promise<WorkResponse>> = [];
    for (const waiting of [1, 2]) {
      answers.push(ask());
      await rival.isWaitedForBy(waiting);
    }
    await rival.commit();
    return await Promise.all(answers);
  }

  const tasksIn = (answers: readonly WorkResponse[]): number[] => answers.map(({ tasks }) => tasks.length);
  const causesIn = (answers: readonly WorkResponse[]): string[] =>
    answers.flatMap(({ noWork }) => noWork.map(({ code }) => code));

  it('never give it more than it may have in progress', async () => {
    const answers = await askTwiceAtOnce();
    expect(tasksIn(answers)).toEqual([16, 0]);
    expect(causesIn(answers)).toEqual(['too-many-in-progress']);
    expect(answers[1]?.noWork[0]?.message).toBe('16 tasks in progress of at most 16: report some first');
  });

  it('never give it more than its allowance of the day', async () => {
    const { hostId } = host.attached;
    await app.dataSource.query('UPDATE host_standing SET allowance_per_day = 10 WHERE host_id = $1', [
      hostId,
    ]);
    const answers = await askTwiceAtOnce();
    expect(tasksIn(answers)).toEqual([10, 0]);
    expect(causesIn(answers)).toEqual(['allowance-used', 'allowance-used']);
    const standing: unknown[] = await app.dataSource.query(
      'SELECT used FROM host_allowance WHERE host_id = $1',
      [hostId],
    );
    expect(standing).toEqual([{ used: 10 }]);
  });

  it('do not wait for a decision that is crediting the host', async () => {
    await using decision = await Rival.holding(
      app.dataSource,
      'UPDATE host_standing SET valid_tasks = valid_tasks + 1 WHERE host_id = $1',
      [host.attached.hostId],
    );
    expect((await ask()).tasks.length).toBe(16);
    await decision.commit();
  });

  it('do not wait until it is noted that the host is still there', async () => {
    const { hostId } = host.attached;
    await ask();
    await app.dataSource.query("UPDATE host SET last_seen_at = now() - interval '5 minutes' WHERE id = $1", [
      hostId,
    ]);
    await using rival = await Rival.holding(
      app.dataSource,
      'SELECT FROM host WHERE id = $1 FOR NO KEY UPDATE',
      [hostId],
    );
    // All that is known of hosts is forgotten, so that the next call looks.
    await app.dataSource.query("SELECT pg_notify('gleaner_access', '')");
    const answersUntilItIsNoted = async (): Promise<number> => {
      await ask();
      return (await rival.waiting()).length;
    };
    await expect.poll(answersUntilItIsNoted).toBe(1);
    await ask();
    await rival.commit();
    const isNoted = (): Promise<unknown> =>
      app.dataSource.query(
        "SELECT last_seen_at > now() - interval '1 minute' AS noted FROM host WHERE id = $1",
        [hostId],
      );
    await expect.poll(isNoted, { timeout: 30_000 }).toEqual([{ noted: true }]);
  });

  it('give it nothing from the moment on that it is held, even where nobody has heard of it yet', async () => {
    const { hostId } = host.attached;
    await app.dataSource.query('ALTER TABLE host DISABLE TRIGGER host_access');
    await app.dataSource.query("UPDATE host SET held_reason = 'too fast' WHERE id = $1", [hostId]);
    const { tasks, noWork } = await ask();
    expect(tasks).toEqual([]);
    expect(noWork).toMatchObject([{ code: 'host-held', message: 'this host is held for review: too fast' }]);
  });
});
