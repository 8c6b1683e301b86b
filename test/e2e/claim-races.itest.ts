import { ClaimDesk, type DeskClaim } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DispatchFixture, type SeededJob, type TestHost } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

function wish({ attached: { hostId, accountId } }: TestHost, unitId: number, ordinal: number): DeskClaim {
  const claimer = { hostId, accountId, personId: accountId, anonymous: false, network: `of ${hostId}` };
  return {
    unitId,
    ordinal,
    creditEligible: true,
    mayDepend: true,
    distinct: 'account',
    claimer: { ...claimer, cap: 8, leaseMs: 60_000 },
  };
}

async function claim(...claims: readonly DeskClaim[]): Promise<Array<string | null | undefined>> {
  const answers = await dispatch.gleaner.app.get(ClaimDesk).claim(claims);
  return answers.map((answer) => answer?.refusal);
}

async function tasksOf({ jobId }: SeededJob): Promise<object[]> {
  return dispatch.query(
    `SELECT t.unit_id, t.ordinal, t.host_id, count(l.*)::int AS leases
       FROM task t JOIN work_unit u ON u.id = t.unit_id LEFT JOIN lease l USING (host_id, unit_id, ordinal)
      WHERE u.job_id = $1 GROUP BY t.unit_id, t.ordinal, t.host_id ORDER BY t.unit_id, t.ordinal`,
    [jobId],
  );
}

describe('claims that do not see each other', () => {
  it.each([
    { what: 'the ticket', ordinal: 0, sameAccount: false, refusal: 'gone' },
    {
      what: 'another task of the unit, with the same account,',
      ordinal: 1,
      sameAccount: true,
      refusal: 'own',
    },
  ])('of $what the first counts, and the others of its batch are none the worse', async (race) => {
    const job = await dispatch.aJob({ units: 2 });
    const [first, second] = [await dispatch.aHost(), await dispatch.aHost()];
    const winner = race.sameAccount ? second : first;
    await using rival = await dispatch.rivalHolding(
      `INSERT INTO task (unit_id, ordinal, account_id, host_id, distinct_key, credit_eligible, anonymous)
       VALUES ($1, $2, $3, $4, $3, true, false)`,
      [job.firstUnitId, race.ordinal, winner.attached.accountId, winner.attached.hostId],
    );
    const answers = claim(wish(second, job.firstUnitId, 0), wish(first, job.lastUnitId, 0));
    await rival.isWaitedForBy(1);
    await rival.commit();
    expect(await answers).toEqual([race.refusal, null]);
    const of = ({ attached: { hostId } }: TestHost) => hostId;
    expect(await tasksOf(job)).toEqual([
      { unit_id: String(job.firstUnitId), ordinal: race.ordinal, host_id: of(winner), leases: 0 },
      { unit_id: String(job.lastUnitId), ordinal: 0, host_id: of(first), leases: 1 },
    ]);
    const used = await dispatch.query('SELECT host_id, used FROM host_allowance WHERE host_id = ANY ($1)', [
      [of(first), of(second)],
    ]);
    expect(used).toEqual([{ host_id: of(first), used: 1 }]);
  });

  it('of a ticket that cannot be taken again and again the others of its batch are none the worse', async () => {
    const job = await dispatch.aJob({ units: 3 });
    const hosts = [await dispatch.aHost(), await dispatch.aHost(), await dispatch.aHost()];
    const refused = job.firstUnitId + 1;
    await dispatch.query(
      `CREATE FUNCTION refuse_task() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE unique_violation; END $$;
       CREATE TRIGGER refuse_task BEFORE INSERT ON task FOR EACH ROW WHEN (NEW.unit_id = ${refused})
         EXECUTE FUNCTION refuse_task()`,
    );
    const wishes = hosts.map((host, at) => wish(host, job.firstUnitId + at, 0));
    expect(await claim(...wishes)).toEqual([null, undefined, null]);
    await dispatch.query('DROP TRIGGER refuse_task ON task; DROP FUNCTION refuse_task');
    expect(await claim(...wishes)).toEqual(['gone', null, 'gone']);
  });

  it('of a ticket and its replay in one batch one becomes a task', async () => {
    const job = await dispatch.aJob();
    const [first, second] = [await dispatch.aHost(), await dispatch.aHost()];
    expect(await claim(wish(first, job.firstUnitId, 0), wish(second, job.firstUnitId, 0))).toEqual([
      null,
      'gone',
    ]);
    expect(await tasksOf(job)).toMatchObject([{ ordinal: 0, host_id: first.attached.hostId, leases: 1 }]);
  });

  it('of a host that is detached at this moment its task goes to others', async () => {
    const job = await dispatch.aJob({ replication: { quorum: 1 } });
    const [leaving, other] = [await dispatch.aHost(), await dispatch.aHost()];
    const { hostId, secret } = leaving.attached;
    // Where claims of one host take turns.
    await using rival = await dispatch.rivalHolding('SELECT pg_advisory_xact_lock(8400002, $1::integer)', [
      hostId,
    ]);
    const claimed = claim(wish(leaving, job.firstUnitId, 0));
    await rival.isWaitedForBy(1);
    const authorization = `Bearer ${secret}`;
    const url = new URL(`/v1/hosts/${hostId}`, dispatch.gleaner.url);
    expect((await fetch(url, { method: 'DELETE', headers: { authorization } })).status).toBe(204);
    await rival.commit();
    expect(await claimed).toEqual([null]);
    await dispatch.sweep();
    const { tasks } = await other.ask();
    expect(tasks).toMatchObject([{ taskId: expect.stringMatching(`^${job.firstUnitId}\\.`) as string }]);
  });
});

describe('claims of one host', () => {
  it('leave it the room and the allowance that they could not have used', async () => {
    const job = await dispatch.aJob({ units: 3 });
    const host = await dispatch.aHost();
    const { hostId } = host.attached;
    const used = 'SELECT used FROM host_allowance WHERE host_id = $1';
    await dispatch.query("INSERT INTO host_allowance (host_id, day, used) VALUES ($1, '2026-01-01', 1000)", [
      hostId,
    ]);
    const wishes = [5, 0, 0].map((ordinal, at) => {
      const wished = wish(host, job.firstUnitId + at, ordinal);
      return { ...wished, claimer: { ...wished.claimer, cap: 1 } };
    });
    expect(await claim(...wishes)).toEqual(['gone', null, 'cap']);
    expect(await dispatch.query(used, [hostId])).toEqual([{ used: 1 }]);
  });

  it('are refused where it was held a moment ago', async () => {
    const job = await dispatch.aJob();
    const host = await dispatch.aHost();
    await dispatch.query("UPDATE host SET held_reason = 'looks odd' WHERE id = $1", [host.attached.hostId]);
    expect(await claim(wish(host, job.firstUnitId, 0))).toEqual(['held']);
    expect(await tasksOf(job)).toEqual([]);
  });
});
