import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/application.js';
import { createVolunteer, honestResult, seedJob, TestHost } from './dispatch-fixture.js';

for (const redis of [true, false]) {
  describe.skipIf(redis && inject('redisUrl') === null)(
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
        await expect
          .poll(() => settled(jobId), { timeout: 15_000 })
          .toEqual({ valid: 20, failed: 0, tasks: 40 });
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
          .poll(async () => (await dora.ask(8, 4096, 1)).noWork.map(({ code }) => code), { timeout: 15_000 })
          .toEqual(['already-has-task']);
        await app.dataSource.query("UPDATE job SET state = 'cancelled' WHERE id = $1", [jobId]);
      });

      it('lets a host whose allowance is used ask again soon: it grows with each confirmed result', async () => {
        const emil = await attach('Emil');
        const { jobId } = await seedJob(app.dataSource, { units: 6, accountId: scientist.accountId });
        await app.dataSource.query('UPDATE host_standing SET allowance_per_day = 2 WHERE host_id = $1', [
          emil.attached.hostId,
        ]);
        const { tasks } = await emil.ask(2);
        for (let done = tasks.length; done < 2;) done += (await emil.ask(1)).tasks.length;
        await expect
          .poll(async () => (await emil.ask(1, 4096, 1)).noWork.map(({ code }) => code), { timeout: 15_000 })
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
