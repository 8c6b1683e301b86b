import { BoardKeeper } from '@gleaner/coordinator';
import { account, hostPage, leaderboard, team, teamMemberPage } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, clientWith, TestHost, type TestApplication } from '../support/index.js';
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
