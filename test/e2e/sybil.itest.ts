import { hotPool, saveDecided, UnitReader } from '@gleaner/coordinator';
import { transitionUnit } from '@gleaner/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DispatchFixture,
  forgetEverything,
  honestResult,
  resultWithout,
  type SeededJob,
  type TestHost,
  testRedisUrl,
} from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

describe('nobody validates their own work', () => {
  it('two anonymous hosts never complete a quorum, wherever they are', async () => {
    const job = await dispatch.aJob();
    const [first, second] = [await dispatch.aHost({ of: null }), await dispatch.aHost({ of: null })];
    await dispatch.contribute(first);
    await dispatch.expectNothingFor(second, 'needs-another-account');
    expect(await dispatch.unitStates(job)).toEqual(['open']);
    await dispatch.contribute(await dispatch.aHost());
    await dispatch.becomes(job, 'valid');
  });

  it('two hosts of one account never serve the same unit', async () => {
    const job = await dispatch.aJob();
    const owner = await dispatch.aPerson();
    const [first, second] = [await dispatch.aHost({ of: owner }), await dispatch.aHost({ of: owner })];
    await dispatch.contribute(first);
    await dispatch.expectNothingFor(second, 'already-has-task');
    expect(await dispatch.unitStates(job)).toEqual(['open']);
  });

  it.each([
    ['one network', '203.0.113.9', '203.0.113.77'],
    // So some proxies call whom they do not want to name.
    ['addresses that nobody knows', 'unknown', 'hidden'],
  ])('two accounts behind %s never complete a quorum', async (_what, address, neighbour) => {
    const job = await dispatch.aJob();
    await dispatch.contribute(await dispatch.aHost({ address }));
    await dispatch.expectNothingFor(await dispatch.aHost({ address: neighbour }), 'needs-another-account');
    await dispatch.contribute(await dispatch.aHost());
    await dispatch.becomes(job, 'valid');
  });

  it('linked accounts never serve the same unit', async () => {
    await dispatch.aJob();
    const [claimed, claimer] = [await dispatch.aHost({ of: null }), await dispatch.aHost()];
    await dispatch.query('UPDATE account SET person_id = $2 WHERE id IN ($1, $2)', [
      claimed.attached.accountId,
      claimer.attached.accountId,
    ]);
    await dispatch.contribute(claimed);
    await dispatch.expectNothingFor(claimer, 'needs-another-account');
  });

  it('an account that is given a unit again, whose task it had lost, has one voice by both results', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    const lost = await dispatch.aTask(host);
    await dispatch.endLeases(job);
    await dispatch.sweep();
    const again = await dispatch.aTask(host);
    for (const task of [lost, again])
      expect((await host.report(honestResult(task))).reports).toMatchObject([{ status: 'accepted' }]);
    const counting = 'SELECT count(*)::int AS tasks FROM task WHERE unit_id = $1 AND counts';
    expect(await dispatch.query(counting, [job.firstUnitId])).toEqual([{ tasks: 1 }]);
    expect(await dispatch.unitStates(job)).toEqual(['open']);
    await dispatch.contribute(await dispatch.aHost());
    await dispatch.becomes(job, 'valid');
    await dispatch.earns([host], ['123456']);
  });

  it('a result of another runtime stays what it is: nobody has a second word once the answer is known', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    const task = await dispatch.aTask(host);
    const first = { ...honestResult(task), runtimeVersion: 'another' };
    expect((await host.report(first)).reports).toMatchObject([{ status: 'accepted' }]);
    await dispatch.contribute(await dispatch.aHost(), await dispatch.aHost());
    await dispatch.becomes(job, 'valid');
    for (const report of [first, honestResult(task)])
      expect((await host.report(report)).reports).toMatchObject([{ status: 'repeat' }]);
    expect(await dispatch.creditOf(host)).toEqual(['0']);
  });

  it('hosts of one account that race for one unit get one task together', async () => {
    const job = await dispatch.aJob();
    const owner = await dispatch.aPerson();
    const hosts = await Promise.all(Array.from({ length: 6 }, () => dispatch.aHost({ of: owner })));
    let given = 0;
    while (given === 0) {
      const answers = await Promise.all(hosts.map((host) => host.ask(2, 4096, 1)));
      given = answers.flatMap(({ tasks: got }) => got).length;
    }
    const answers = await Promise.all(hosts.map((host) => host.ask(2, 4096, 15)));
    expect(given + answers.flatMap(({ tasks: got }) => got).length).toBe(1);
    const tasks = await dispatch.query('SELECT ordinal FROM task WHERE unit_id = $1', [job.firstUnitId]);
    expect(tasks).toHaveLength(1);
  });

  /** Two units that an anonymous host and a named one, who is the same person, have validated. */
  async function conspire(): Promise<Conspiracy> {
    const job = await dispatch.aJob({ units: 2 });
    // A third unit, still to come, keeps the job running: ended jobs keep their answers.
    await dispatch.query('UPDATE job SET units_split = 3 WHERE id = $1', [job.jobId]);
    const anonymous = await dispatch.aHost({ of: null });
    const claimer = await dispatch.aPerson();
    const named = await dispatch.aHost({ of: claimer });
    await dispatch.contribute(anonymous, anonymous, named, named);
    await dispatch.becomes(job, 'valid');
    return { job, anonymous, named, claim: () => dispatch.claim(claimer, anonymous) };
  }

  /** What the job tells of its settled units. */
  async function validatedCyclesOf({ jobId }: SeededJob): Promise<string | undefined> {
    const [tally] = await dispatch.query<{ cycles: string }>(
      'SELECT cycles FROM job_tally WHERE job_id = $1',
      [jobId],
    );
    return tally?.cycles;
  }

  it('a unit that only linked accounts validated is opened again, for somebody independent', async () => {
    const { job, anonymous, named, claim } = await conspire();
    expect(await dispatch.creditOf(anonymous, named)).toEqual(['246912', '246912']);
    await claim();
    await dispatch.becomes(job, 'open');
    expect(await validatedCyclesOf(job)).toBe('0');
    const stranger = await dispatch.aHost();
    await dispatch.contribute(stranger, stranger);
    await dispatch.becomes(job, 'valid');
    expect(await validatedCyclesOf(job)).toBe(String(6 * 123_456));
    // One person has earned each unit once, by whichever of the accounts computed it first.
    await expect.poll(() => creditTogether(anonymous, named)).toBe(246_912);
    expect(await dispatch.creditOf(stranger)).toEqual(['246912']);
    await expectReconciledLedger();
  });

  it.skipIf(testRedisUrl() === null)(
    'nor does a queue that forgets everything keep such a unit valid',
    async () => {
      const { job, claim } = await conspire();
      await claim();
      await forgetEverything(testRedisUrl() ?? '');
      await dispatch.becomes(job, 'open');
    },
  );

  it('what linked accounts earned twice in a job that has ended is theirs once, and its answer stays', async () => {
    const { job, anonymous, named, claim } = await conspire();
    await dispatch.query("UPDATE job SET state = 'completed', finished_at = now() WHERE id = $1", [
      job.jobId,
    ]);
    await claim();
    await expect.poll(() => creditTogether(anonymous, named)).toBe(246_912);
    expect(await dispatch.unitStates(job)).toEqual(['valid']);
    await expectReconciledLedger();
  });

  it('a decision that was thought about before accounts were linked is not saved after it', async () => {
    const job = await dispatch.aJob();
    await dispatch.query('UPDATE job SET units_split = 2 WHERE id = $1', [job.jobId]);
    const hosts = [await dispatch.aHost(), await dispatch.aHost()];
    await dispatch.contribute(...hosts);
    await dispatch.becomes(job, 'valid');
    const { app, config, dataSource } = dispatch.gleaner;
    const loaded = await app.get(UnitReader).load([job.firstUnitId]);
    const [unit] = loaded.units;
    if (!unit) throw new Error('the unit is gone');
    const { decision } = transitionUnit(unit.view, { kind: 'cancelled' }, unit.rules, Date.now());
    const save = () => saveDecided(hotPool(dataSource), [{ unit, decision }], loaded, config.allowance);
    await dispatch.query('INSERT INTO link_review (account_ids, reviewed_at) VALUES ($1, now())', [
      hosts.map(({ attached }) => attached.accountId),
    ]);
    expect((await save()).unitIds).toEqual(new Set());
  });
});

interface Conspiracy {
  readonly job: SeededJob;
  readonly anonymous: TestHost;
  readonly named: TestHost;
  readonly claim: () => Promise<void>;
}

/** Of one person's accounts the one with the lower ordinal keeps a unit's credit: which one that is depends on the tickets' order. */
async function creditTogether(...hosts: TestHost[]): Promise<number> {
  return (await dispatch.creditOf(...hosts)).reduce((sum, cycles) => sum + Number(cycles), 0);
}

/** Totals are the sums of the ledger, whose entries alternate and leave one credit to a person for a unit. */
async function expectReconciledLedger(): Promise<void> {
  const [books] = await dispatch.query(
    `SELECT (SELECT count(*)::int FROM account_credit c WHERE (c.cycles, c.tasks) <>
              (SELECT coalesce(sum(e.cycles), 0), coalesce(sum(sign(e.cycles)), 0)
                 FROM credit_entry e WHERE e.account_id = c.account_id)) AS accounts,
            (SELECT count(*)::int FROM host_standing s WHERE (s.cycles, s.credited_tasks) <>
              (SELECT coalesce(sum(e.cycles), 0), coalesce(sum(sign(e.cycles)), 0)
                 FROM credit_entry e WHERE e.host_id = s.host_id)) AS hosts,
            (SELECT count(*)::int FROM credit_entry WHERE sign(cycles) <> CASE sequence % 2 WHEN 0 THEN 1 ELSE -1 END)
              AS signs,
            (SELECT count(*)::int FROM (
               SELECT FROM credit_entry e JOIN account a ON a.id = e.account_id
                GROUP BY e.unit_id, coalesce(a.person_id, a.id) HAVING sum(sign(e.cycles)) > 1) twice) AS twice`,
  );
  expect(books).toEqual({ accounts: 0, hosts: 0, signs: 0, twice: 0 });
}

/** What a host says that could not compute a task. */
const FAILURE = { outcome: 'infrastructure', message: 'no room on the disk' } as const;

describe('nobody has a unit fail alone', () => {
  it('by taking it and giving it back, or by failing it, again and again', async () => {
    const job = await dispatch.aJob({ replication: { maxErrors: 3, maxTasks: 4 } });
    const saboteur = await dispatch.aHost();
    for (const isReturned of [true, false]) {
      const task = await dispatch.aTask(saboteur);
      if (isReturned) await saboteur.post('/v1/heartbeat', { running: [], returned: [task.taskId] });
      else await saboteur.report(resultWithout(task, FAILURE));
    }
    await dispatch.expectNothingFor(saboteur, 'already-has-task');
    await dispatch.contribute(await dispatch.aHost(), await dispatch.aHost());
    await dispatch.becomes(job, 'valid');
  });
});

describe('nobody mints credit', () => {
  it('an app that no operator approved runs only for its submitter, and earns nothing', async () => {
    const job = await dispatch.aJob({ approved: false, replication: { quorum: 1 } });
    await dispatch.expectNothingFor(await dispatch.aHost(), 'unapproved-app');
    const own = await dispatch.aHost({ of: dispatch.scientist });
    await dispatch.contribute(own);
    await dispatch.becomes(job, 'valid');
    expect(await dispatch.creditOf(own)).toEqual(['0']);
  });

  it("a submitter's own host computes its job but earns nothing, while the other volunteer does", async () => {
    const job = await dispatch.aJob();
    const own = await dispatch.aHost({ of: dispatch.scientist });
    const other = await dispatch.aHost();
    await dispatch.contribute(own, other);
    await dispatch.becomes(job, 'valid');
    await dispatch.earns([own, other], ['0', '123456']);
  });

  it('a lying host gets nothing, the honest two get theirs, and the answer is theirs', async () => {
    const job = await dispatch.aJob();
    const [liar, honest, third] = [await dispatch.aHost(), await dispatch.aHost(), await dispatch.aHost()];
    await liar.report(honestResult(await dispatch.aTask(liar), 'a lie\n'));
    await dispatch.contribute(honest, third);
    await dispatch.becomes(job, 'valid');
    await dispatch.earns([liar, honest, third], ['0', '123456', '123456']);
    const [unit] = await dispatch.query<{ account_id: string }>(
      'SELECT t.account_id FROM work_unit u JOIN task t ON t.unit_id = u.id AND t.ordinal = u.canonical_ordinal WHERE u.id = $1',
      [job.firstUnitId],
    );
    expect(unit?.account_id).not.toBe(liar.attached.accountId);
  });

  it('a result whose digest is not that of its contents is refused for good', async () => {
    await dispatch.aJob();
    const host = await dispatch.aHost();
    const result = honestResult(await dispatch.aTask(host));
    const { reports } = await host.report({ ...result, cycles: '999999999999' });
    expect(reports[0]).toMatchObject({
      status: 'refused',
      reason: 'the digest is not that of the reported result',
    });
  });

  it('a host works off its daily allowance and is told when it may go on', async () => {
    await dispatch.aJob({ units: 4 });
    const host = await dispatch.aHost();
    await dispatch.query('UPDATE host_standing SET allowance_per_day = 1 WHERE host_id = $1', [
      host.attached.hostId,
    ]);
    const first = await host.ask(3);
    expect(first.tasks).toHaveLength(1);
    const resets = expect.stringMatching(/resets at \d{4}-\d\d-\d\d 00:00 UTC$/) as string;
    await expect
      .poll(async () => {
        const { tasks, noWork } = await host.ask(1, 4096, 1);
        return [tasks, noWork[0]?.code, noWork[0]?.message];
      })
      .toEqual([[], 'allowance-used', resets]);
  });
});
