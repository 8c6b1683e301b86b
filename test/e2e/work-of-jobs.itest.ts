import { ValidationService } from '@gleaner/coordinator';
import { unitResultPage } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DispatchFixture, honestResult, resultWithout, seedJob } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

/** How a unit fails: its app ends with a code of its own. */
const EXIT = { outcome: 'exit', exitCode: 3, cycles: '10' } as const;

describe('jobs', () => {
  it('pause with their reason when too many of their first units fail', async () => {
    const { jobId } = await dispatch.aJob({ units: 12, replication: { quorum: 1, maxErrors: 1 } });
    const host = await dispatch.aHost();
    for (let done = 0; done < 3;) {
      const { tasks } = await host.ask(1);
      for (const task of tasks) {
        await host.report(resultWithout(task, EXIT));
        done += 1;
      }
    }
    const job = () => dispatch.query('SELECT state, state_reason FROM job WHERE id = $1', [jobId]);
    const reason = expect.stringMatching(/units failed \(more than 20 %/) as string;
    await expect.poll(job).toEqual([{ state: 'paused', state_reason: reason }]);
  });

  it('are paused with the decision that makes them fail too often, or neither happens', async () => {
    const job = await dispatch.aJob({ replication: { quorum: 1, maxErrors: 1 } });
    await dispatch.query(
      `CREATE FUNCTION refuse_pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
       CREATE TRIGGER refuse_pause BEFORE UPDATE ON job FOR EACH ROW WHEN (NEW.state = 'paused')
         EXECUTE FUNCTION refuse_pause()`,
    );
    const host = await dispatch.aHost();
    await host.report(resultWithout(await dispatch.aTask(host), EXIT));
    const validation = dispatch.gleaner.app.get(ValidationService);
    await expect(validation.examine([job.firstUnitId])).rejects.toThrow('no');
    expect(await dispatch.unitStates(job)).toEqual(['open']);
    await dispatch.query('DROP TRIGGER refuse_pause ON job; DROP FUNCTION refuse_pause');
    await validation.examine([job.firstUnitId]);
    expect(await dispatch.unitStates(job)).toEqual(['failed']);
    const jobs = await dispatch.query('SELECT state FROM job WHERE id = $1', [job.jobId]);
    expect(jobs).toEqual([{ state: 'paused' }]);
  });

  it('fail once all of their units have failed, although they are paused', async () => {
    const { jobId } = await dispatch.aJob({ units: 2, replication: { quorum: 1, maxErrors: 1 } });
    await dispatch.query('UPDATE job SET split_at = now() WHERE id = $1', [jobId]);
    const host = await dispatch.aHost();
    for (const task of await host.take(2)) await host.report(resultWithout(task, EXIT));
    await expect
      .poll(() => dispatch.query('SELECT state, state_reason FROM job WHERE id = $1', [jobId]))
      .toEqual([{ state: 'failed', state_reason: 'all 2 units failed' }]);
  });

  it('tell with which exit code or trap each of their units failed', async () => {
    const { jobId } = await dispatch.aJob({ units: 2, replication: { quorum: 1, maxErrors: 1 } });
    const host = await dispatch.aHost();
    const [first, second] = await host.take(2);
    await host.report(resultWithout(first!, EXIT));
    await host.report(resultWithout(second!, { outcome: 'trap', trapKind: 'stack-exhausted' }));
    const results = async (): Promise<unknown> => {
      const answer = await fetch(new URL(`/v1/jobs/${jobId}/results?state=failed`, dispatch.gleaner.url), {
        headers: { authorization: `Bearer ${dispatch.scientist.token}` },
      });
      return unitResultPage.parse(await answer.json()).items;
    };
    await expect
      .poll(results)
      .toEqual(
        expect.arrayContaining([
          expect.objectContaining({ outcome: 'exit', exitCode: 3, trapKind: null }),
          expect.objectContaining({ outcome: 'trap', exitCode: null, trapKind: 'stack-exhausted' }),
        ]),
      );
  });

  it('go on for a single volunteer, although each of its units waits for a second one', async () => {
    await dispatch.aJob({ units: 900 });
    const host = await dispatch.aHost();
    await dispatch.query('UPDATE host_standing SET allowance_per_day = 10000 WHERE host_id = $1', [
      host.attached.hostId,
    ]);
    let done = 0;
    await expect
      .poll(
        async () => {
          const { tasks } = await host.ask(32, 4096, 1);
          if (tasks.length > 0) await host.report(...tasks.map((task) => honestResult(task)));
          done += tasks.length;
          return done;
        },
        { timeout: 60_000, interval: 50 },
      )
      .toBe(900);
  });

  it('share the volunteers by their weights', async () => {
    const heavy = await dispatch.aJob({ units: 2000, share: 3, state: 'paused' });
    const light = await seedJob(dispatch.gleaner.dataSource, {
      units: 2000,
      accountId: dispatch.scientist.accountId,
      share: 1,
      state: 'paused',
    });
    const both = [heavy.jobId, light.jobId];
    await dispatch.query("UPDATE job SET state = 'running' WHERE id = ANY ($1::bigint[])", [both]);
    const given = new Map([
      [String(heavy.jobId), 0],
      [String(light.jobId), 0],
    ]);
    const all = (): number => [...given.values()].reduce((sum, tasks) => sum + tasks, 0);
    await expect
      .poll(
        async () => {
          // Tickets of the jobs of earlier tests, hundreds of them, make room when somebody takes them.
          const { tasks } = await (await dispatch.aHost()).ask(32, 4096, 1);
          for (const { jobId } of tasks) given.set(jobId, (given.get(jobId) ?? 0) + 1);
          return all();
        },
        { timeout: 120_000, interval: 10 },
      )
      .toBeGreaterThan(1000);
    expect([...given.keys()]).toEqual(both.map(String));
    const heavyShare = (given.get(String(heavy.jobId)) ?? 0) / all();
    expect(heavyShare).toBeGreaterThan(0.65);
    expect(heavyShare).toBeLessThan(0.85);
  });
});
