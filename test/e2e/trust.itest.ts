import type { TaskAssignment, UnitState } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/index.js';
import {
  createVolunteer,
  honestResult,
  type JobSeed,
  type SeededJob,
  seedJob,
  send,
  TestHost,
} from './dispatch-fixture.js';

interface Owner {
  readonly accountId: string;
  readonly token: string;
}

let gleaner: TestApplication;
let networks = 0;

beforeAll(async () => {
  gleaner = await createTestApplication({
    redis: inject('redisUrl') !== null,
    env: { GLEANER_TRUST_PROXY: '1' },
  });
});
afterAll(() => gleaner.close());

/** An address on a /24 that nobody else is on. */
function elsewhere(): string {
  networks += 1;
  return `198.18.${networks}.9`;
}

async function anAccount(): Promise<Owner> {
  return await createVolunteer(gleaner.url, gleaner.operatorToken, `person ${networks}`);
}

/** A host of that account, of an account of its own, or anonymous. */
async function aHost(token?: string | null): Promise<TestHost> {
  const address = elsewhere();
  if (token === null) return await TestHost.attach(gleaner.url, { address });
  return await TestHost.attach(gleaner.url, { address, token: token ?? (await anAccount()).token });
}

/** The only running job. */
async function aJob(owner: Owner, seed: Partial<JobSeed> = {}): Promise<SeededJob> {
  await gleaner.dataSource.query(
    "UPDATE job SET state = 'paused' WHERE state IN ('splitting', 'running', 'assimilating')",
  );
  return await seedJob(gleaner.dataSource, { units: 1, accountId: owner.accountId, ...seed });
}

/** Takes a task each and reports the honest result. */
async function contribute(...hosts: readonly TestHost[]): Promise<void> {
  for (const host of hosts) {
    const { tasks, noWork } = await host.ask();
    if (!tasks[0]) throw new Error(`no task: ${JSON.stringify(noWork)}`);
    const { reports } = await host.report(honestResult(tasks[0]));
    expect(reports).toMatchObject([{ status: 'accepted' }]);
  }
}

/** Sooner or later that is the state of all units. */
async function becomes({ jobId }: SeededJob, state: UnitState): Promise<void> {
  const read = 'SELECT DISTINCT state FROM work_unit WHERE job_id = $1';
  await expect.poll(() => gleaner.dataSource.query(read, [jobId]), { timeout: 30_000 }).toEqual([{ state }]);
}

/** What the hosts' accounts have now, checked against the sums of the ledger. */
async function creditOf(...hosts: readonly TestHost[]): Promise<string[]> {
  const rows: Array<{ id: string; total: string; entries: string }> = await gleaner.dataSource.query(
    `SELECT a.id, coalesce(c.cycles, 0)::text AS total,
            (SELECT coalesce(sum(e.cycles), 0) FROM credit_entry e WHERE e.account_id = a.id)::text AS entries
       FROM account a LEFT JOIN account_credit c ON c.account_id = a.id`,
  );
  for (const { total, entries } of rows) expect(total).toBe(entries);
  const totals = new Map(rows.map(({ id, total }) => [id, total]));
  return hosts.map(({ attached }) => totals.get(attached.accountId) ?? '0');
}

async function claim(owner: Owner, anonymous: TestHost): Promise<void> {
  await send(gleaner.url, 'POST', '/v1/accounts/me/claims', {
    token: owner.token,
    body: { secret: anonymous.attached.secret },
  });
}

describe('a submitter earns nothing by a job of their own', () => {
  it('nor when the anonymous host that computed it is claimed before the quorum is complete', async () => {
    const submitter = await anAccount();
    const job = await aJob(submitter);
    const [anonymous, other] = [await aHost(null), await aHost()];
    await contribute(anonymous);
    await claim(submitter, anonymous);
    await contribute(other);
    await becomes(job, 'valid');
    expect(await creditOf(anonymous, other)).toEqual(['0', '123456']);
  });

  it.each(['running', 'completed'])(
    'nor when it is claimed afterwards, while the job is %s',
    async (state) => {
      const submitter = await anAccount();
      const job = await aJob(submitter);
      const [anonymous, other] = [await aHost(null), await aHost()];
      await contribute(anonymous, other);
      await becomes(job, 'valid');
      expect(await creditOf(anonymous, other)).toEqual(['123456', '123456']);
      await gleaner.dataSource.query('UPDATE job SET state = $2, units_split = 2 WHERE id = $1', [
        job.jobId,
        state,
      ]);
      await claim(submitter, anonymous);
      await expect.poll(() => creditOf(anonymous, other), { timeout: 30_000 }).toEqual(['0', '123456']);
      await becomes(job, 'valid');
    },
  );
});

describe('counts that no machine reaches', () => {
  const IMPOSSIBLE = '900000000000000000';

  async function boast(...hosts: readonly TestHost[]): Promise<void> {
    for (const host of hosts) {
      const { tasks } = await host.ask();
      await host.report(...tasks.map((task) => honestResult(task, undefined, IMPOSSIBLE)));
    }
  }

  it('earn nothing although a partner confirms them, and their hosts get no more work', async () => {
    const job = await aJob(await anAccount());
    const hosts = [await aHost(), await aHost()];
    await boast(...hosts);
    for (const host of hosts) {
      await expect
        .poll(async () => (await host.ask(1, 4096, 1)).noWork)
        .toMatchObject([{ code: 'host-held' }]);
    }
    await becomes(job, 'valid');
    expect(await creditOf(...hosts)).toEqual(['0', '0']);
  });

  it('nor before anybody has noted that the hosts are to be held', async () => {
    const job = await aJob(await anAccount());
    const hosts = [await aHost(), await aHost()];
    await gleaner.dataSource.query(`
      CREATE FUNCTION hold_nobody() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER hold_nobody BEFORE UPDATE OF held_reason ON host FOR EACH ROW EXECUTE FUNCTION hold_nobody()`);
    try {
      await boast(...hosts);
      await becomes(job, 'valid');
      expect(await creditOf(...hosts)).toEqual(['0', '0']);
    } finally {
      await gleaner.dataSource.query('DROP TRIGGER hold_nobody ON host; DROP FUNCTION hold_nobody()');
    }
  });
});

describe('a host that is held and released', () => {
  it('is paid in the end for what it computed meanwhile', async () => {
    const job = await aJob(await anAccount(), { units: 2 });
    const [host, other] = [await aHost(), await aHost()];
    const hold = (reason: string | null) =>
      send(gleaner.url, 'PUT', `/v1/hosts/${host.attached.hostId}/hold`, {
        token: gleaner.operatorToken,
        body: { reason },
      });
    const tasks: TaskAssignment[] = [];
    while (tasks.length < 2) tasks.push(...(await host.ask(2)).tasks);
    await hold('looks odd');
    await host.report(...tasks.map((task) => honestResult(task)));
    await contribute(other, other);
    await becomes(job, 'valid');
    expect(await creditOf(host, other)).toEqual(['0', '246912']);
    await hold(null);
    await expect.poll(() => creditOf(host, other), { timeout: 30_000 }).toEqual(['246912', '246912']);
  });
});

describe('with quorum 1, where nobody confirms a count', () => {
  it.each([
    ['nothing is earned by', false, '0'],
    ['credit is earned by an operator’s', true, '123456'],
  ] as const)('%s job', async (_what, operates, credit) => {
    const submitter = await anAccount();
    await gleaner.dataSource.query('UPDATE account SET operator = $2 WHERE id = $1', [
      submitter.accountId,
      operates,
    ]);
    const job = await aJob(submitter, { replication: { quorum: 1 } });
    const host = await aHost();
    await contribute(host);
    await becomes(job, 'valid');
    expect(await creditOf(host)).toEqual([credit]);
  });
});

describe('a unit that only linked accounts validated is opened again', () => {
  /** Nobody folds the job meanwhile. @returns lets it go on */
  async function holdAssimilation({ jobId }: SeededJob): Promise<() => Promise<void>> {
    const runner = gleaner.dataSource.createQueryRunner();
    const key = [`assimilate ${jobId}`];
    await runner.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', key);
    return async () => {
      await runner.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', key);
      await runner.release();
    };
  }

  it.each(['splitting', 'paused', 'assimilating'])('while its job is %s', async (state) => {
    const [submitter, claimer] = [await anAccount(), await anAccount()];
    const job = await aJob(submitter);
    const release = await holdAssimilation(job);
    try {
      const [anonymous, named] = [await aHost(null), await aHost(claimer.token)];
      await contribute(anonymous, named);
      await becomes(job, 'valid');
      await gleaner.dataSource.query('UPDATE job SET state = $2 WHERE id = $1', [job.jobId, state]);
      await claim(claimer, anonymous);
      await becomes(job, 'open');
    } finally {
      await release();
    }
  });
});
