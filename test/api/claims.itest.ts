import { BoardKeeper } from '@gleaner/coordinator';
import { account, hostPage, leaderboard, team, teamMemberPage } from '@gleaner/protocol';
import type supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, clientWith, Rival, TestHost, type TestApplication } from '../support/index.js';
import { Community, UNIT_CYCLES } from './community.js';

let community: Community;
let gleaner: TestApplication;
beforeAll(async () => {
  community = await Community.start();
  ({ gleaner } = community);
});
afterAll(() => gleaner.close());

describe('claimed work', () => {
  async function standing(id: string): Promise<Record<string, string> | undefined> {
    const [row]: Array<Record<string, string>> = await gleaner.dataSource.query(
      `SELECT name, cycles, tasks, day_cycles, week_cycles, month_cycles FROM board_entry JOIN board_name USING (kind, id)
        WHERE kind = 'accounts' AND id = $1`,
      [id],
    );
    return row;
  }

  it('is added to what its claimer earned, in the periods that it was earned in', async () => {
    const [ada, bob] = [await aPerson(gleaner, { name: 'Ada' }), await aPerson(gleaner)];
    const anonymous = await TestHost.attach(gleaner.url);
    const { accountId } = anonymous.attached;
    await community.computeTogether(1, anonymous, bob);
    await community.computeTogether(1, ada, bob);
    await gleaner.app.get(BoardKeeper).reconcile();
    // The anonymous work was done in another month.
    await gleaner.dataSource.query(
      `UPDATE board_entry SET day = day - 40, week = week - 42, month = (month - interval '1 month')::date
        WHERE kind = 'accounts' AND id = $1`,
      [accountId],
    );
    const entries = () => gleaner.dataSource.query('SELECT * FROM credit_entry ORDER BY unit_id, ordinal');
    const ledger: unknown = await entries();

    const claimed = await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret });
    expect(account.parse(claimed.body).credit).toBe(String(2 * UNIT_CYCLES));
    const today = String(UNIT_CYCLES);
    const expected = { name: 'Ada', day_cycles: today, week_cycles: today, month_cycles: today };
    expect(await standing(ada.account.id)).toEqual({
      ...expected,
      cycles: String(2 * UNIT_CYCLES),
      tasks: '2',
    });
    expect(await standing(accountId)).toBeUndefined();
    await community.expectToReconcile();
    expect(await standing(ada.account.id)).toMatchObject({ cycles: String(2 * UNIT_CYCLES), ...expected });
    expect(await entries()).toEqual(ledger);

    await community.computeTogether(1, anonymous, bob);
    await gleaner.app.get(BoardKeeper).refresh();
    expect(await standing(ada.account.id)).toMatchObject({
      cycles: String(3 * UNIT_CYCLES),
      day_cycles: String(2 * UNIT_CYCLES),
    });
    const board = leaderboard.parse(
      (await gleaner.http.get('/v1/leaderboards/accounts?limit=200').expect(200)).body,
    );
    expect(board.items.filter(({ id }) => id === accountId || id === ada.account.id)).toMatchObject([
      { id: ada.account.id, name: 'Ada', credit: String(3 * UNIT_CYCLES), validTasks: 3 },
    ]);
  });

  it('is on the boards of somebody who has earned nothing else', async () => {
    const [ada, bob] = [await aPerson(gleaner, { name: 'Ada' }), await aPerson(gleaner)];
    const anonymous = await TestHost.attach(gleaner.url);
    await community.computeTogether(1, anonymous, bob);
    await gleaner.app.get(BoardKeeper).reconcile();
    await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret }).expect(200);
    await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret }).expect(200);
    expect(await standing(ada.account.id)).toMatchObject({
      name: 'Ada',
      cycles: String(UNIT_CYCLES),
      tasks: '1',
    });
    // Whoever searches the boards is shown a bounded number of names: those that nobody has any more leave room.
    const named = "SELECT id FROM board_name WHERE kind = 'accounts' AND id = ANY ($1)";
    expect(await gleaner.dataSource.query(named, [[ada.account.id, anonymous.attached.accountId]])).toEqual([
      { id: ada.account.id },
    ]);
    await community.expectToReconcile();
  });

  it('counts for the team of its claimer as long as they are a member, and not before', async () => {
    const [ada, bob] = [await aPerson(gleaner, { name: 'Ada' }), await aPerson(gleaner)];
    const anonymous = await TestHost.attach(gleaner.url);
    await community.computeTogether(1, anonymous, bob);
    const { id } = team.parse((await ada.post('/v1/teams', { name: 'Claimers' }).expect(201)).body);
    const standings = async (): Promise<readonly [team: string, members: readonly string[]]> => {
      const { credit } = team.parse((await gleaner.http.get(`/v1/teams/${id}`).expect(200)).body);
      const members = await gleaner.http.get(`/v1/teams/${id}/members`).expect(200);
      return [credit, teamMemberPage.parse(members.body).items.map((member) => member.credit)];
    };
    await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret }).expect(200);
    expect(await standings()).toEqual(['0', ['0']]);
    await community.computeTogether(2, anonymous, bob);
    const two = String(2 * UNIT_CYCLES);
    expect(await standings()).toEqual([two, [two]]);

    await ada.delete(`/v1/teams/${id}/members/me`).expect(204);
    await community.computeTogether(1, anonymous, bob);
    expect(await standings()).toEqual([two, []]);
    await ada.put(`/v1/teams/${id}/members/me`).expect(200);
    expect(await standings()).toEqual([two, ['0']]);
    await community.computeTogether(1, anonymous, bob);
    expect(await standings()).toEqual([String(3 * UNIT_CYCLES), [String(UNIT_CYCLES)]]);
    await community.expectToReconcile();
  });

  it('brings its machine with it, to see and to decide about, for nobody else', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const own = await community.aHost(ada);
    const anonymous = await TestHost.attach(gleaner.url);
    const { hostId } = anonymous.attached;
    const path = `/v1/hosts/${hostId}`;
    await ada.get(path).expect(404);
    await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret }).expect(200);
    const mine = hostPage.parse((await ada.get('/v1/hosts').expect(200)).body).items.map(({ id }) => id);
    expect(mine).toEqual([hostId, own.attached.hostId]);
    await ada.get(`${path}/tasks`).expect(200);
    await ada.patch(path).set('if-match', '*').send({ run: 'pause', name: 'in the attic' }).expect(200);
    await expect
      .poll(async () => (await anonymous.work({ request: { maxTasks: 1, memoryMiB: 1024 } })).noWork)
      .toMatchObject([{ code: 'owner-paused' }]);
    const other = clientWith(gleaner, own.attached.secret);
    for (const stranger of [eve, other]) {
      await stranger.get(path).expect(404);
      await stranger.delete(path).expect(404);
    }
    await eve.patch(path).set('if-match', '*').send({ run: 'run' }).expect(404);
    await ada.delete(path).expect(204);
    await clientWith(gleaner, anonymous.attached.secret).get(path).expect(401);
  });
});

/** As validation grants it: one statement, which knows from its beginning whose person and team the account is. */
const GRANT = `
  WITH entry AS (
    INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, team_id, cycles)
    SELECT $3, 0, a.id, $2, m.team_id, 1000
      FROM account a LEFT JOIN team_member m ON m.account_id = coalesce(a.person_id, a.id) WHERE a.id = $1
    RETURNING *
  ), of_account AS (
    INSERT INTO account_credit AS c (account_id, cycles, tasks) SELECT account_id, cycles, 1 FROM entry
    ON CONFLICT (account_id) DO UPDATE SET cycles = c.cycles + excluded.cycles, tasks = c.tasks + 1
  ), of_host AS (
    INSERT INTO host_standing AS s (host_id, allowance_per_day, cycles, credited_tasks) SELECT host_id, 100, cycles, 1 FROM entry
    ON CONFLICT (host_id) DO UPDATE SET cycles = s.cycles + excluded.cycles, credited_tasks = s.credited_tasks + 1
  )
  INSERT INTO team_credit AS c (team_id, cycles, tasks) SELECT team_id, cycles, 1 FROM entry WHERE team_id IS NOT NULL
  ON CONFLICT (team_id) DO UPDATE SET cycles = c.cycles + excluded.cycles, tasks = c.tasks + 1`;

describe('a grant at the very moment', () => {
  let units = 1_000_000;

  it.each(['claims', 'joins'] as const)(
    'of a person who %s counts for their team or not, once',
    async (how) => {
      for (const isGrantFirst of [true, false]) {
        const { ada, teamId, earner, act } = await aMember(how, isGrantFirst);
        await using granting = await Rival.begin(gleaner.dataSource);
        const grant = (): Promise<unknown> => granting.manager.query(GRANT, [...earner, (units += 1)]);
        let acted: Promise<unknown>;
        if (isGrantFirst) {
          await grant();
          acted = act();
          await untilWaiting('account_credit');
        } else {
          // What it writes last, or nearly so; it locks rows of it before.
          const last = how === 'claims' ? 'audit_entry' : 'team';
          await using holding = await Rival.holding(gleaner.dataSource, `LOCK TABLE ${last} IN SHARE MODE`);
          acted = act();
          await untilWaiting(last);
          const granted = grant();
          await untilWaiting('account_credit');
          await holding.commit();
          await granted;
        }
        await granting.commit();
        await acted;
        const expected = isGrantFirst ? '0' : '1000';
        const { credit } = team.parse((await ada.get(`/v1/teams/${teamId}`).expect(200)).body);
        const members = teamMemberPage.parse((await ada.get(`/v1/teams/${teamId}/members`).expect(200)).body);
        const { credit: given } = members.items.find(({ id }) => id === ada.account.id) ?? {};
        expect([credit, given]).toEqual([expected, expected]);
      }
      await community.expectToReconcile();
    },
  );

  /** Somebody who is about to claim an account that earns, or to join a team with one of their own. */
  async function aMember(how: 'claims' | 'joins', isFirst: boolean) {
    const name = `${how} ${isFirst ? 'late' : 'early'}`;
    const [ada, founder] = [await aPerson(gleaner, { name }), await aPerson(gleaner)];
    const { id: teamId } = team.parse((await founder.post('/v1/teams', { name }).expect(201)).body);
    const join = async (): Promise<void> => untilDone(() => ada.put(`/v1/teams/${teamId}/members/me`));
    if (how === 'joins') {
      const { hostId, accountId } = (await community.aHost(ada)).attached;
      return { ada, teamId, earner: [accountId, hostId], act: join };
    }
    await join();
    const { hostId, accountId, secret } = (await TestHost.attach(gleaner.url)).attached;
    const claim = async (): Promise<void> => untilDone(() => ada.post('/v1/accounts/me/claims', { secret }));
    return { ada, teamId, earner: [accountId, hostId], act: claim };
  }

  /** Tries again where a grant took longer than is waited for, as one is told to. */
  async function untilDone(request: () => supertest.Test): Promise<void> {
    let status = 503;
    while (status === 503) ({ status } = await request());
    expect(status).toBe(200);
  }

  async function untilWaiting(table: string): Promise<void> {
    await expect
      .poll(() =>
        gleaner.dataSource.query(
          `SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
            WHERE NOT l.granted AND l.relation = $1::regclass`,
          [table],
        ),
      )
      .toHaveLength(1);
  }
});
