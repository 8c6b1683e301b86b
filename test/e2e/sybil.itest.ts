import { createHash } from 'node:crypto';
import { hotPool, saveDecided, UnitReader } from '@gleaner/coordinator';
import { transitionUnit } from '@gleaner/domain';
import { type ResultReport, resultDigestText } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/application.js';
import { forgetEverything } from '../support/redis-server.js';
import {
  createVolunteer,
  honestResult,
  type JobSeed,
  type SeededJob,
  seedJob,
  send,
  TestHost,
} from './dispatch-fixture.js';

let app: TestApplication;
let scientist: { accountId: string; token: string };
let networks = 0;

beforeAll(async () => {
  // Volunteers pretend to be on different networks, as a trusted proxy would tell.
  app = await createTestApplication({
    redis: inject('redisUrl') !== null,
    env: { GLEANER_TRUST_PROXY: '1' },
  });
  scientist = await createVolunteer(app.url, app.operatorToken, 'scientist');
});
afterAll(() => app.close());

/** An address on a /24 that nobody else is on. */
function elsewhere(): string {
  networks += 1;
  return `198.${18 + Math.floor(networks / 256)}.${networks % 256}.9`;
}

async function aVolunteer(address = elsewhere()): Promise<TestHost> {
  const { token } = await createVolunteer(app.url, app.operatorToken, `volunteer ${networks}`);
  return TestHost.attach(app.url, { token, address });
}

/** A job of one unit; the jobs of earlier tests are put aside so that nobody gets their units. */
async function aJob(seed: Partial<JobSeed> = {}): Promise<SeededJob> {
  await app.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
  return seedJob(app.dataSource, { units: 1, accountId: scientist.accountId, ...seed });
}

/** Takes a task and reports the honest result. */
async function contribute(host: TestHost): Promise<void> {
  const { tasks, noWork } = await host.ask();
  if (!tasks[0]) throw new Error(`no task: ${JSON.stringify(noWork)}`);
  const { reports } = await host.report(honestResult(tasks[0]));
  expect(reports[0]?.status).toBe('accepted');
}

/** What a host says that could not compute a task. */
function failureOf(taskId: string): Partial<ResultReport> {
  const result = { outcome: 'infrastructure' as const, exitCode: 0, cycles: '0', outputs: [] };
  const digest = createHash('sha256').update(resultDigestText(result)).digest('hex');
  return { ...result, taskId, digest, message: 'no room on the disk' };
}

/** Asks until the answer names this reason, as it does once the tickets have arrived; nothing must come meanwhile. */
async function expectNothingFor(host: TestHost, code: string): Promise<void> {
  await expect
    .poll(async () => {
      const { tasks, noWork } = await host.ask(1, 4096, 1);
      return [tasks, noWork.map((reason) => reason.code)];
    })
    .toEqual([[], expect.arrayContaining([code])]);
}

async function unitState({ firstUnitId }: SeededJob): Promise<string> {
  const [unit]: Array<{ state: string }> = await app.dataSource.query(
    'SELECT state FROM work_unit WHERE id = $1',
    [firstUnitId],
  );
  return unit?.state ?? 'none';
}

const becomes = (job: SeededJob) => expect.poll(() => unitState(job), { timeout: 20_000 });

async function creditOf(...hosts: TestHost[]): Promise<string[]> {
  const rows: Array<{ account_id: string; cycles: string }> = await app.dataSource.query(
    'SELECT account_id, cycles::text AS cycles FROM account_credit',
  );
  const cycles = new Map(rows.map((row) => [row.account_id, row.cycles]));
  return hosts.map(({ attached }) => cycles.get(attached.accountId) ?? '0');
}

/** Of one person's accounts the one with the lower ordinal keeps a unit's credit: which one that is depends on the tickets' order. */
async function creditTogether(...hosts: TestHost[]): Promise<number> {
  return (await creditOf(...hosts)).reduce((sum, cycles) => sum + Number(cycles), 0);
}

describe('nobody validates their own work', () => {
  it('two anonymous hosts never complete a quorum, wherever they are', async () => {
    const job = await aJob();
    const [first, second] = [
      await TestHost.attach(app.url, { address: elsewhere() }),
      await TestHost.attach(app.url, { address: elsewhere() }),
    ];
    await contribute(first);
    await expectNothingFor(second, 'needs-another-account');
    expect(await unitState(job)).toBe('open');
    await contribute(await aVolunteer());
    await becomes(job).toBe('valid');
  });

  it('two hosts of one account never serve the same unit', async () => {
    const job = await aJob();
    const { token } = await createVolunteer(app.url, app.operatorToken, 'owner of two hosts');
    const [first, second] = [
      await TestHost.attach(app.url, { token, address: elsewhere() }),
      await TestHost.attach(app.url, { token, address: elsewhere() }),
    ];
    await contribute(first);
    await expectNothingFor(second, 'already-has-task');
    expect(await unitState(job)).toBe('open');
  });

  it('two accounts behind one network never complete a quorum', async () => {
    const job = await aJob();
    const address = elsewhere();
    const neighbour = address.replace(/9$/, '77');
    await contribute(await aVolunteer(address));
    await expectNothingFor(await aVolunteer(neighbour), 'needs-another-account');
    await contribute(await aVolunteer());
    await becomes(job).toBe('valid');
  });

  it('hosts of one account that race for one unit get one task together', async () => {
    const job = await aJob();
    const { token } = await createVolunteer(app.url, app.operatorToken, 'owner of many hosts');
    const hosts = await Promise.all(
      Array.from({ length: 6 }, () => TestHost.attach(app.url, { token, address: elsewhere() })),
    );
    let given = 0;
    while (given === 0) {
      const answers = await Promise.all(hosts.map((host) => host.ask(2, 4096, 1)));
      given = answers.flatMap(({ tasks: got }) => got).length;
    }
    const answers = await Promise.all(hosts.map((host) => host.ask(2, 4096, 15)));
    expect(given + answers.flatMap(({ tasks: got }) => got).length).toBe(1);
    const tasks: unknown[] = await app.dataSource.query('SELECT ordinal FROM task WHERE unit_id = $1', [
      job.firstUnitId,
    ]);
    expect(tasks).toHaveLength(1);
  });

  /** Two units that an anonymous host and a named one, who is the same person, have validated. */
  async function conspire(): Promise<Conspiracy> {
    const job = await aJob({ units: 2 });
    // A third unit, still to come, keeps the job running: ended jobs keep their answers.
    await app.dataSource.query('UPDATE job SET units_split = 3 WHERE id = $1', [job.jobId]);
    const anonymous = await TestHost.attach(app.url, { address: elsewhere() });
    const claimer = await createVolunteer(app.url, app.operatorToken, 'claimer');
    const named = await TestHost.attach(app.url, { token: claimer.token, address: elsewhere() });
    for (const host of [anonymous, named]) {
      await contribute(host);
      await contribute(host);
    }
    await expect.poll(() => validUnits(job), { timeout: 20_000 }).toBe(2);
    const claim = async (): Promise<void> => {
      await send(app.url, 'POST', '/v1/accounts/me/claims', {
        token: claimer.token,
        body: { secret: anonymous.attached.secret },
      });
    };
    return { job, anonymous, named, claim };
  }

  it('a unit that only linked accounts validated is opened again, for somebody independent', async () => {
    const { job, anonymous, named, claim } = await conspire();
    expect(await creditOf(anonymous, named)).toEqual(['246912', '246912']);
    await claim();
    await expect.poll(() => validUnits(job), { timeout: 20_000 }).toBe(0);
    const stranger = await aVolunteer();
    for (let unit = 0; unit < 2; unit += 1) await contribute(stranger);
    await expect.poll(() => validUnits(job), { timeout: 20_000 }).toBe(2);
    // One person has earned each unit once, by whichever of the accounts computed it first.
    await expect.poll(() => creditTogether(anonymous, named)).toBe(246_912);
    expect(await creditOf(stranger)).toEqual(['246912']);
    await expectReconciledLedger();
  });

  it.skipIf(inject('redisUrl') === null)(
    'nor does a queue that forgets everything keep such a unit valid',
    async () => {
      const { job, claim } = await conspire();
      await claim();
      await forgetEverything(inject('redisUrl') ?? '');
      await expect.poll(() => validUnits(job), { timeout: 60_000 }).toBe(0);
    },
    90_000,
  );

  it('what linked accounts earned twice in a job that has ended is theirs once, and its answer stays', async () => {
    const { job, anonymous, named, claim } = await conspire();
    await app.dataSource.query("UPDATE job SET state = 'completed', finished_at = now() WHERE id = $1", [
      job.jobId,
    ]);
    await claim();
    await expect.poll(() => creditTogether(anonymous, named), { timeout: 20_000 }).toBe(246_912);
    expect(await validUnits(job)).toBe(2);
    await expectReconciledLedger();
  });

  it('a decision that was thought about before accounts were linked is not saved after it', async () => {
    const job = await aJob();
    await app.dataSource.query('UPDATE job SET units_split = 2 WHERE id = $1', [job.jobId]);
    const hosts = [await aVolunteer(), await aVolunteer()];
    for (const host of hosts) await contribute(host);
    await becomes(job).toBe('valid');
    const reader = app.app.get(UnitReader);
    const loaded = await reader.load([job.firstUnitId], false);
    const [unit] = loaded.units;
    if (!unit) throw new Error('the unit is gone');
    const { decision } = transitionUnit(unit.view, { kind: 'cancelled' }, unit.rules, Date.now());
    const save = () =>
      saveDecided(hotPool(app.dataSource), [{ unit, decision }], loaded, app.config.allowance);
    await app.dataSource.query('INSERT INTO link_review (account_ids, reviewed_at) VALUES ($1, now())', [
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

async function validUnits({ jobId }: SeededJob): Promise<number> {
  const rows: unknown[] = await app.dataSource.query(
    "SELECT FROM work_unit WHERE job_id = $1 AND state = 'valid'",
    [jobId],
  );
  return rows.length;
}

/** Totals are the sums of the ledger, whose entries alternate and leave one credit to a person for a unit. */
async function expectReconciledLedger(): Promise<void> {
  const [books]: unknown[] = await app.dataSource.query(
    `SELECT (SELECT count(*)::int FROM account_credit c WHERE c.cycles <>
              (SELECT coalesce(sum(e.cycles), 0) FROM credit_entry e WHERE e.account_id = c.account_id)) AS accounts,
            (SELECT count(*)::int FROM host_standing s WHERE s.cycles <>
              (SELECT coalesce(sum(e.cycles), 0) FROM credit_entry e WHERE e.host_id = s.host_id)) AS hosts,
            (SELECT count(*)::int FROM credit_entry WHERE sign(cycles) <> CASE sequence % 2 WHEN 0 THEN 1 ELSE -1 END)
              AS signs,
            (SELECT count(*)::int FROM (
               SELECT FROM credit_entry e JOIN account a ON a.id = e.account_id
                GROUP BY e.unit_id, coalesce(a.person_id, a.id) HAVING sum(sign(e.cycles)) > 1) twice) AS twice`,
  );
  expect(books).toEqual({ accounts: 0, hosts: 0, signs: 0, twice: 0 });
}

describe('nobody has a unit fail alone', () => {
  it('by taking it and giving it back, or by failing it, again and again', async () => {
    const job = await aJob({ replication: { maxErrors: 3, maxTasks: 4 } });
    const saboteur = await aVolunteer();
    for (const isReturned of [true, false]) {
      const { tasks } = await saboteur.ask();
      const { taskId } = tasks[0]!;
      if (isReturned) await saboteur.post('/v1/heartbeat', { running: [], returned: [taskId] });
      else await saboteur.report({ ...honestResult(tasks[0]!), ...failureOf(taskId) });
    }
    await expectNothingFor(saboteur, 'already-has-task');
    for (const host of [await aVolunteer(), await aVolunteer()]) await contribute(host);
    await becomes(job).toBe('valid');
  });
});

describe('nobody mints credit', () => {
  it('an app that no operator approved runs only for its submitter, and earns nothing', async () => {
    const job = await aJob({ approved: false, replication: { quorum: 1 } });
    await expectNothingFor(await aVolunteer(), 'unapproved-app');
    const own = await TestHost.attach(app.url, { token: scientist.token, address: elsewhere() });
    await contribute(own);
    await becomes(job).toBe('valid');
    expect(await creditOf(own)).toEqual(['0']);
  });

  it("a submitter's own host computes its job but earns nothing, while the other volunteer does", async () => {
    const job = await aJob();
    const own = await TestHost.attach(app.url, { token: scientist.token, address: elsewhere() });
    const other = await aVolunteer();
    await contribute(own);
    await contribute(other);
    await becomes(job).toBe('valid');
    await expect.poll(() => creditOf(own, other)).toEqual(['0', '123456']);
  });

  it('a lying host gets nothing, the honest two get theirs, and the answer is theirs', async () => {
    const job = await aJob();
    const [liar, honest, third] = [await aVolunteer(), await aVolunteer(), await aVolunteer()];
    const { tasks } = await liar.ask();
    await liar.report(honestResult(tasks[0]!, 'a lie\n'));
    await contribute(honest);
    await contribute(third);
    await becomes(job).toBe('valid');
    await expect.poll(() => creditOf(liar, honest, third)).toEqual(['0', '123456', '123456']);
    const [unit]: Array<{ account_id: string }> = await app.dataSource.query(
      'SELECT t.account_id FROM work_unit u JOIN task t ON t.unit_id = u.id AND t.ordinal = u.canonical_ordinal WHERE u.id = $1',
      [job.firstUnitId],
    );
    expect(unit?.account_id).not.toBe(liar.attached.accountId);
  });

  it('a result whose digest is not that of its contents is refused for good', async () => {
    await aJob();
    const host = await aVolunteer();
    const { tasks } = await host.ask();
    const result = honestResult(tasks[0]!);
    const { reports } = await host.report({ ...result, cycles: '999999999999' });
    expect(reports[0]).toMatchObject({
      status: 'refused',
      reason: 'the digest is not that of the reported result',
    });
  });

  it('a host that counts more cycles than any machine can is held and gets no more work', async () => {
    await aJob({ units: 4 });
    const host = await aVolunteer();
    const { tasks } = await host.ask();
    await host.report(honestResult(tasks[0]!, undefined, '900000000000000000'));
    const rows: Array<{ held_reason: string | null }> = await app.dataSource.query(
      'SELECT held_reason FROM host WHERE id = $1',
      [host.attached.hostId],
    );
    expect(rows[0]?.held_reason).toMatch(/cycles\/s per core/);
  });

  it('a host works off its daily allowance and is told when it may go on', async () => {
    await aJob({ units: 4 });
    const host = await aVolunteer();
    await app.dataSource.query('UPDATE host_standing SET allowance_per_day = 1 WHERE host_id = $1', [
      host.attached.hostId,
    ]);
    const first = await host.ask(3);
    expect(first.tasks).toHaveLength(1);
    const { tasks, noWork } = await host.work({ request: { maxTasks: 1, memoryMiB: 4096, cores: 4 } });
    expect(tasks).toEqual([]);
    expect(noWork[0]).toMatchObject({ code: 'allowance-used' });
    expect(noWork[0]?.message).toMatch(/resets at \d{4}-\d\d-\d\dT00:00:00/);
  });
});
