import { BoardKeeper, BoardRebuild } from '@gleaner/coordinator';
import { attachedHost, boardPage, team, type BoardPage } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aPerson, createTestApplication, type TestApplication } from '../support/index.js';

describe('boards, beside the ledger', () => {
  let gleaner: TestApplication;
  let keeper: BoardKeeper;
  beforeAll(async () => {
    // Nobody keeps the boards but the test.
    gleaner = await createTestApplication({ env: { GLEANER_ROLE: 'api' } });
    keeper = gleaner.app.get(BoardKeeper);
  });
  afterAll(() => gleaner.close());

  let units = 0;
  /** As validation grants and takes back: entry and totals in one transaction. */
  async function earn(
    { accountId, hostId, teamId }: { accountId: string; hostId: string; teamId: string | null },
    cycles: number,
    { daysAgo = 0, sequence = 0, unit = (units += 1) } = {},
  ): Promise<number> {
    await gleaner.dataSource.query(
      `WITH entry AS (
         INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, team_id, cycles, sequence, granted_at)
         VALUES ($1, 0, $2, $3, $4, $5, $6, now() - $7 * interval '1 day') RETURNING *, CASE sequence % 2 WHEN 1 THEN -1 ELSE 1 END AS tasks
       ), account_total AS (
         INSERT INTO account_credit AS c (account_id, cycles, tasks) SELECT account_id, cycles, tasks FROM entry
         ON CONFLICT (account_id) DO UPDATE SET cycles = c.cycles + excluded.cycles, tasks = c.tasks + excluded.tasks
       ), team_total AS (
         INSERT INTO team_credit AS c (team_id, cycles, tasks) SELECT team_id, cycles, tasks FROM entry WHERE team_id IS NOT NULL
         ON CONFLICT (team_id) DO UPDATE SET cycles = c.cycles + excluded.cycles, tasks = c.tasks + excluded.tasks
       )
       UPDATE host_standing s SET cycles = s.cycles + entry.cycles, credited_tasks = s.credited_tasks + entry.tasks
         FROM entry WHERE s.host_id = entry.host_id`,
      [unit, accountId, hostId, teamId, cycles, sequence, daysAgo],
    );
    return unit;
  }

  async function aVolunteer(isInTeam: boolean) {
    const person = await aPerson(gleaner);
    const facts = { name: 'laptop', kind: 'agent', cores: 1, memoryMiB: 1024 };
    const { hostId } = attachedHost.parse((await person.post('/v1/hosts', { host: facts }).expect(201)).body);
    const joined = isInTeam
      ? await person.post('/v1/teams', { name: `Team of ${hostId}` }).expect(201)
      : null;
    return { accountId: person.account.id, hostId, teamId: joined && team.parse(joined.body).id };
  }

  async function rows(): Promise<unknown[]> {
    const found = boardRows.parse(
      await gleaner.dataSource.query(
        'SELECT * FROM board_entry JOIN board_name USING (kind, id) ORDER BY kind, id',
      ),
    );
    // Weights grow by the second: what matters is how far apart two sums are.
    return found.map(({ recent, ...row }) => ({ ...row, recent: recent.toPrecision(4) }));
  }

  it('are the same when they are made from it anew, row by row and in every period', async () => {
    const volunteers = await Promise.all([true, false, true].map(aVolunteer));
    for (const [n, volunteer] of volunteers.entries()) {
      const unit = await earn(volunteer, 1000 * (n + 1));
      await earn(volunteer, 77);
      await keeper.refresh();
      await earn(volunteer, -1000 * (n + 1), { sequence: 1, unit });
      await earn(volunteer, 500 + n, { sequence: 2, unit });
      await keeper.refresh();
    }
    const kept = await rows();
    expect(kept).toHaveLength(3 + 3 + 2);
    await gleaner.app.get(BoardRebuild).rebuild();
    expect(await rows()).toEqual(kept);
    await keeper.reconcile();
    expect(await rows()).toEqual(kept);
  });

  it('show newcomers at once, who earn more while the ledger is read', async () => {
    const volunteer = await aVolunteer(false);
    await earn(volunteer, 100);
    // As if granted between reading the ledger and reading the total.
    await gleaner.dataSource.query('UPDATE account_credit SET cycles = cycles + 7 WHERE account_id = $1', [
      volunteer.accountId,
    ]);
    await keeper.refresh();
    const shown: unknown = await gleaner.dataSource.query(
      "SELECT cycles, day_cycles FROM board_entry WHERE kind = 'accounts' AND id = $1",
      [volunteer.accountId],
    );
    expect(shown).toEqual([{ cycles: '107', day_cycles: '107' }]);
  });

  it('give a lost row back what was earned in each period, and not all of it today', async () => {
    const volunteer = await aVolunteer(true);
    for (const table of ['account', 'host', 'team'])
      await gleaner.dataSource.query(`UPDATE ${table} SET created_at = now() - interval '2 years'`);
    await earn(volunteer, 40_000, { daysAgo: 400 });
    await earn(volunteer, 3_000, { daysAgo: 40 });
    const lost = async (): Promise<unknown[]> =>
      await gleaner.dataSource.query(
        `SELECT kind, cycles, tasks, day_cycles, week_cycles, month_cycles FROM board_entry
          WHERE (kind, id) IN (('accounts', $1::bigint), ('hosts', $2::bigint), ('teams', $3::bigint)) ORDER BY kind`,
        [volunteer.accountId, volunteer.hostId, volunteer.teamId],
      );
    await earn(volunteer, 200);
    // Who looks at the last seconds alone leaves it to who looks at everything.
    await keeper.refresh();
    expect(await lost()).toEqual([]);
    await keeper.reconcile();
    const expected = ['accounts', 'hosts', 'teams'].map((kind) => ({
      kind,
      cycles: '43200',
      tasks: '3',
      day_cycles: '200',
      week_cycles: '200',
      month_cycles: '200',
    }));
    expect(await lost()).toEqual(expected);
    await keeper.refresh();
    await keeper.reconcile();
    expect(await lost()).toEqual(expected);
  });

  it('say that a search took too long and was ended, and show what was found by then', async () => {
    const { account } = await aPerson(gleaner, { name: 'Slow Reader' });
    await earn({ accountId: account.id, hostId: '1', teamId: null }, 10);
    await keeper.refresh();
    const search = async (q: string): Promise<BoardPage> =>
      boardPage.parse((await gleaner.http.get(`/v1/boards/accounts?q=${q}`).expect(200)).body);
    await expect
      .poll(() => search('low%20reader'), { timeout: 120_000 })
      .toMatchObject({ isCutShort: false, items: [{ name: 'Slow Reader' }] });
    // A name that takes longer to read than a search may.
    await gleaner.dataSource.query(`
      ALTER TABLE board_name RENAME TO quick_name;
      CREATE VIEW board_name AS SELECT * FROM quick_name WHERE name <> 'Slow Reader' OR pg_sleep(0.2)::text = ''`);
    try {
      expect(await search('ow%20reader')).toMatchObject({
        isCutShort: true,
        items: [{ name: 'Slow Reader' }],
      });
      expect(await search('slow')).toMatchObject({ isCutShort: true, items: [{ name: 'Slow Reader' }] });
    } finally {
      await gleaner.dataSource.query('DROP VIEW board_name; ALTER TABLE quick_name RENAME TO board_name');
    }
  });
});

const boardRows = z.array(z.looseObject({ recent: z.number() }));
