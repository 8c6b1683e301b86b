import { ValidationService } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DispatchFixture, honestResult, send, type TestHost } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

describe('a submitter earns nothing by a job of their own', () => {
  it('nor when the anonymous host that computed it is claimed before the quorum is complete', async () => {
    const submitter = await dispatch.aPerson();
    const job = await dispatch.aJob({ accountId: submitter.accountId });
    const [anonymous, other] = [await dispatch.aHost({ of: null }), await dispatch.aHost()];
    await dispatch.contribute(anonymous);
    await dispatch.claim(submitter, anonymous);
    await dispatch.contribute(other);
    await dispatch.becomes(job, 'valid');
    expect(await dispatch.creditOf(anonymous, other)).toEqual(['0', '123456']);
  });

  it.each(['running', 'completed'])(
    'nor when it is claimed afterwards, while the job is %s',
    async (state) => {
      const submitter = await dispatch.aPerson();
      const job = await dispatch.aJob({ accountId: submitter.accountId });
      const [anonymous, other] = [await dispatch.aHost({ of: null }), await dispatch.aHost()];
      await dispatch.contribute(anonymous, other);
      await dispatch.becomes(job, 'valid');
      expect(await dispatch.creditOf(anonymous, other)).toEqual(['123456', '123456']);
      await dispatch.query('UPDATE job SET state = $2, units_split = 2 WHERE id = $1', [job.jobId, state]);
      await dispatch.claim(submitter, anonymous);
      await dispatch.earns([anonymous, other], ['0', '123456']);
      await dispatch.becomes(job, 'valid');
    },
  );
});

describe('counts that no machine reaches', () => {
  const IMPOSSIBLE = '900000000000000000';

  async function boast(...hosts: readonly TestHost[]): Promise<void> {
    for (const host of hosts) {
      await host.report(honestResult(await dispatch.aTask(host), undefined, IMPOSSIBLE));
    }
  }

  it('earn nothing although a partner confirms them, and their hosts get no more work', async () => {
    const job = await dispatch.aJob();
    const hosts = [await dispatch.aHost(), await dispatch.aHost()];
    await boast(...hosts);
    for (const host of hosts) {
      await expect
        .poll(async () => (await host.ask(1, 4096, 1)).noWork)
        .toMatchObject([
          { code: 'host-held', message: expect.stringMatching(/cycles\/s per core/) as string },
        ]);
    }
    await dispatch.becomes(job, 'valid');
    expect(await dispatch.creditOf(...hosts)).toEqual(['0', '0']);
  });

  it('nor before anybody has noted that the hosts are to be held', async () => {
    const job = await dispatch.aJob();
    const hosts = [await dispatch.aHost(), await dispatch.aHost()];
    await dispatch.query(`
      CREATE FUNCTION hold_nobody() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER hold_nobody BEFORE UPDATE OF held_reason ON host FOR EACH ROW EXECUTE FUNCTION hold_nobody()`);
    try {
      await boast(...hosts);
      await dispatch.becomes(job, 'valid');
      expect(await dispatch.creditOf(...hosts)).toEqual(['0', '0']);
    } finally {
      await dispatch.query('DROP TRIGGER hold_nobody ON host; DROP FUNCTION hold_nobody()');
    }
  });
});

describe('a host that is held and released', () => {
  /** Two units are valid, and only the other volunteer has been paid. */
  async function whileHeld(): Promise<{ hosts: TestHost[]; hold: (reason: string | null) => Promise<void> }> {
    const job = await dispatch.aJob({ units: 2 });
    const [host, other] = [await dispatch.aHost(), await dispatch.aHost()];
    const hold = async (reason: string | null): Promise<void> => {
      await send(dispatch.gleaner.url, 'PUT', `/v1/hosts/${host.attached.hostId}/hold`, {
        token: dispatch.gleaner.operatorToken,
        body: { reason },
      });
    };
    const tasks = await host.take(2);
    await hold('looks odd');
    await host.report(...tasks.map((task) => honestResult(task)));
    await dispatch.contribute(other, other);
    await dispatch.becomes(job, 'valid');
    const hosts = [host, other];
    expect(await dispatch.creditOf(...hosts)).toEqual(['0', '246912']);
    return { hosts, hold };
  }

  it('is paid in the end for what it computed meanwhile', async () => {
    const { hosts, hold } = await whileHeld();
    // One of them as if it had earned before it was held, and had been judged otherwise for a while.
    await dispatch.query(
      `INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, sequence)
       SELECT unit_id, ordinal, account_id, host_id, cycles * sign, sequence
         FROM (SELECT * FROM task WHERE host_id = $1 LIMIT 1) AS t, (VALUES (1, 0), (-1, 1)) AS e (sign, sequence)`,
      [hosts[0]?.attached.hostId],
    );
    await hold(null);
    await dispatch.earns(hosts, ['246912', '246912']);
  });

  it('is looked at once more where that happens again while it is looked at', async () => {
    const { hosts, hold } = await whileHeld();
    const examine = vi.spyOn(dispatch.gleaner.app.get(ValidationService), 'examine');
    examine.mockImplementationOnce(async () => {
      await hold('still looks odd');
      await hold(null);
    });
    await hold(null);
    await dispatch.earns(hosts, ['246912', '246912']);
    expect(examine.mock.calls.length).toBeGreaterThan(1);
    examine.mockRestore();
  });
});

describe('with quorum 1, where nobody confirms a count', () => {
  it.each([
    ['nothing is earned by', false, '0'],
    ['credit is earned by an operator’s', true, '123456'],
  ] as const)('%s job', async (_what, operates, credit) => {
    const submitter = await dispatch.aPerson();
    await dispatch.query('UPDATE account SET operator = $2 WHERE id = $1', [submitter.accountId, operates]);
    const job = await dispatch.aJob({ accountId: submitter.accountId, replication: { quorum: 1 } });
    const host = await dispatch.aHost();
    await dispatch.contribute(host);
    await dispatch.becomes(job, 'valid');
    expect(await dispatch.creditOf(host)).toEqual([credit]);
  });
});

describe('a unit that only linked accounts validated is opened again', () => {
  it.each(['splitting', 'paused', 'assimilating'])('while its job is %s', async (state) => {
    const [submitter, claimer] = [await dispatch.aPerson(), await dispatch.aPerson()];
    const job = await dispatch.aJob({ accountId: submitter.accountId });
    // Nobody folds the job meanwhile.
    await using rival = await dispatch.rivalHolding('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `assimilate ${job.jobId}`,
    ]);
    const [anonymous, named] = [await dispatch.aHost({ of: null }), await dispatch.aHost({ of: claimer })];
    await dispatch.contribute(anonymous, named);
    await dispatch.becomes(job, 'valid');
    await dispatch.query('UPDATE job SET state = $2 WHERE id = $1', [job.jobId, state]);
    await dispatch.claim(claimer, anonymous);
    await dispatch.becomes(job, 'open');
    await rival.commit();
  });

  it('and credit that was taken back before and given again is taken back once', async () => {
    const claimer = await dispatch.aPerson();
    const job = await dispatch.aJob();
    // A second unit, still to come, keeps the job running.
    await dispatch.query('UPDATE job SET units_split = 2 WHERE id = $1', [job.jobId]);
    const [anonymous, named] = [await dispatch.aHost({ of: null }), await dispatch.aHost({ of: claimer })];
    await dispatch.contribute(anonymous, named);
    await dispatch.becomes(job, 'valid');
    // As if it had been judged otherwise for a while.
    await dispatch.query(
      `WITH back AS (
         INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, sequence)
         SELECT unit_id, ordinal, account_id, host_id, -cycles, 1 FROM credit_entry WHERE unit_id = $1
         RETURNING account_id, cycles)
       UPDATE account_credit c SET cycles = c.cycles + back.cycles, tasks = tasks - 1
         FROM back WHERE back.account_id = c.account_id`,
      [job.firstUnitId],
    );
    expect(await dispatch.creditOf(anonymous, named)).toEqual(['0', '0']);
    await dispatch.gleaner.app.get(ValidationService).examine([job.firstUnitId]);
    expect(await dispatch.creditOf(anonymous, named)).toEqual(['123456', '123456']);
    await dispatch.claim(claimer, anonymous);
    await dispatch.becomes(job, 'open');
    const credit = await dispatch.creditOf(anonymous, named);
    expect(credit.toSorted()).toEqual(['0', '123456']);
  });
});
