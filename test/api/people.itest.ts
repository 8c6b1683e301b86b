import { BoardKeeper, JOINS_PER_HOUR } from '@gleaner/coordinator';
import { hostPage, myTeam, team, teamMemberPage, teamPage } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPerson,
  clientWith,
  operatorOf,
  Rival,
  seedJob,
  TestHost,
  type TestApplication,
  type TestPerson,
} from '../support/index.js';
import { Community, UNIT_CYCLES } from './community.js';

let community: Community;
let gleaner: TestApplication;
beforeAll(async () => {
  community = await Community.start();
  ({ gleaner } = community);
});
afterAll(() => gleaner.close());

describe('teams', () => {
  async function aTeam(founder: TestPerson, name: string) {
    return team.parse((await founder.post('/v1/teams', { name }).expect(201)).body);
  }
  const read = async (id: string) => team.parse((await gleaner.http.get(`/v1/teams/${id}`).expect(200)).body);

  it('count what members earn while they are members, and keep it when they leave', async () => {
    const [ada, bob] = [await aPerson(gleaner, { name: 'Ada' }), await aPerson(gleaner, { name: 'Bob' })];
    await community.computeTogether(1, ada, bob);
    const gleaners = await aTeam(ada, 'The Gleaners');
    expect(gleaners).toMatchObject({ credit: '0', members: 1, keeper: { name: 'Ada' } });
    await community.computeTogether(2, ada, bob);
    expect((await read(gleaners.id)).credit).toBe(String(2 * UNIT_CYCLES));
    const members = await gleaner.http.get(`/v1/teams/${gleaners.id}/members`).expect(200);
    expect(teamMemberPage.parse(members.body).items).toMatchObject([
      { name: 'Ada', credit: String(2 * UNIT_CYCLES) },
    ]);
    await bob.put(`/v1/teams/${gleaners.id}/members/me`).expect(200);
    await bob.put(`/v1/teams/${gleaners.id}/members/me`).expect(200);
    await ada.delete(`/v1/teams/${gleaners.id}/members/me`).expect(204);
    await community.computeTogether(1, ada, bob);
    expect(await read(gleaners.id)).toMatchObject({
      credit: String(3 * UNIT_CYCLES),
      validTasks: 3,
      members: 1,
      keeper: { name: 'Bob' },
    });
    await community.expectToReconcile();
    const board = await gleaner.http.get('/v1/boards/teams?period=day').expect(200);
    expect(board.body).toMatchObject({ items: [{ name: 'The Gleaners', value: String(3 * UNIT_CYCLES) }] });
  });

  it('list their members by what they gave, page by page', async () => {
    const founder = await aPerson(gleaner, { name: 'gave 0' });
    const { id } = await aTeam(founder, 'Of All Sizes');
    for (const cycles of [900, 12_000, 7, 12_000, 340]) {
      const member = await aPerson(gleaner, { name: `gave ${cycles}` });
      await member.put(`/v1/teams/${id}/members/me`).expect(200);
      // As if they had earned so much since: what is in no ledger would be missed elsewhere.
      await gleaner.dataSource.query(
        'UPDATE team_member SET cycles_before = -$2::numeric WHERE account_id = $1',
        [member.account.id, cycles],
      );
    }
    const names: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await gleaner.http.get(`/v1/teams/${id}/members?limit=2${query}`).expect(200);
      const { items, nextCursor } = teamMemberPage.parse(page.body);
      names.push(...items.map(({ name }) => name));
      cursor = nextCursor;
    }
    expect(names).toEqual(['gave 12000', 'gave 12000', 'gave 900', 'gave 340', 'gave 7', 'gave 0']);
  });

  it('have one name each, and one keeper who may change it', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const { id } = await aTeam(ada, 'Night Owls');
    // Found by those who are to join it, although it has earned nothing.
    const found = await gleaner.http.get('/v1/teams?q=ght%20OW').expect(200);
    expect(teamPage.parse(found.body).items.map((each) => each.id)).toEqual([id]);
    expect((await gleaner.http.get('/v1/teams?q=%25').expect(200)).body).toMatchObject({ items: [] });
    expect((await eve.post('/v1/teams', { name: 'NIGHT owls' }).expect(409)).body).toMatchObject({
      errors: [{ pointer: '/name' }],
    });
    await eve.patch(`/v1/teams/${id}`).set('if-match', '*').send({ name: 'Eve’s' }).expect(403);
    const etag = (await ada.get(`/v1/teams/${id}`)).get('etag') ?? '';
    await ada
      .patch(`/v1/teams/${id}`)
      .set('if-match', etag)
      .send({ description: 'We compute at night.' })
      .expect(200);
    await ada.patch(`/v1/teams/${id}`).set('if-match', etag).send({ description: 'Other tab' }).expect(412);
  });

  it('say so where looking for a name took too long', async () => {
    await aTeam(await aPerson(gleaner), 'Slow Readers');
    await gleaner.dataSource.query(`
      ALTER TABLE team RENAME TO quick_team;
      CREATE VIEW team AS SELECT * FROM quick_team WHERE name <> 'Slow Readers' OR pg_sleep(2)::text = ''`);
    try {
      const ended = await gleaner.http.get('/v1/teams?q=slow').expect(200);
      expect(teamPage.parse(ended.body)).toEqual({ items: [], nextCursor: null, isCutShort: true });
    } finally {
      await gleaner.dataSource.query('DROP VIEW team; ALTER TABLE quick_team RENAME TO team');
    }
    const found = await gleaner.http.get('/v1/teams?q=slow').expect(200);
    expect(teamPage.parse(found.body)).toMatchObject({
      isCutShort: false,
      items: [{ name: 'Slow Readers' }],
    });
  });

  it('are told to each member as their own, until they leave that very one', async () => {
    const [ada, bob] = [await aPerson(gleaner), await aPerson(gleaner)];
    const mine = async () =>
      myTeam.parse((await ada.get('/v1/teams/mine').expect(200)).body).team?.id ?? null;
    const [own, other] = [await aTeam(ada, 'Own'), await aTeam(bob, 'Other')];
    expect(await mine()).toBe(own.id);
    await ada.delete(`/v1/teams/${other.id}/members/me`).expect(204);
    await ada.put('/v1/teams/999999/members/me').expect(404);
    expect(await mine()).toBe(own.id);
    await ada.put(`/v1/teams/${other.id}/members/me`).expect(200);
    expect(await mine()).toBe(other.id);
    await ada.delete(`/v1/teams/${other.id}/members/me`).expect(204);
    await ada.delete(`/v1/teams/${other.id}/members/me`).expect(204);
    expect(await mine()).toBe(null);
  });

  it('have one team a person, also when two tabs join two at once', async () => {
    const [ada, bob] = [await aPerson(gleaner), await aPerson(gleaner)];
    const teams = [await aTeam(bob, 'First'), await aTeam(await aPerson(gleaner), 'Second')];
    const answers = await Promise.all(teams.map(({ id }) => ada.put(`/v1/teams/${id}/members/me`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const after = await Promise.all(teams.map(({ id }) => read(id)));
    expect(after.map(({ members }) => members).toSorted((a, b) => a - b)).toEqual([1, 2]);
  });
});

describe('joining a team', () => {
  it('does not hold up the granting of credit behind a grant that takes long', async () => {
    const [ada, founder] = [await aPerson(gleaner), await aPerson(gleaner)];
    const { id } = team.parse((await founder.post('/v1/teams', { name: 'Patient' }).expect(201)).body);
    await using granting = await Rival.holding(
      gleaner.dataSource,
      'LOCK TABLE account_credit IN ROW EXCLUSIVE MODE',
    );
    for (const refused of [
      await ada.put(`/v1/teams/${id}/members/me`).expect(503),
      await ada.post('/v1/teams', { name: 'Hasty' }).expect(503),
    ]) {
      expect(refused.body).toMatchObject({ code: 'server-busy' });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    }
    await granting.commit();
    await ada.put(`/v1/teams/${id}/members/me`).expect(200);
  });

  it('again and again is refused to one without refusing it to another', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const paths: string[] = [];
    for (const name of ['Here', 'There']) {
      const founded = await (await aPerson(gleaner)).post('/v1/teams', { name }).expect(201);
      paths.push(`/v1/teams/${team.parse(founded.body).id}/members/me`);
    }
    const [here = '', there = ''] = paths;
    for (let joined = 0; joined < JOINS_PER_HOUR; joined += 2) {
      await ada.put(here).expect(200);
      await ada.put(there).expect(200);
    }
    const refused = await ada.put(here).expect(429);
    expect(refused.body).toMatchObject({ code: 'rate-limited' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    // Where they are already, nothing is to be done.
    await ada.put(there).expect(200);
    await eve.put(here).expect(200);
  });
});

describe('deleting an account', () => {
  it('forgets the person and keeps the ledger true', async () => {
    const [ada, bob] = [
      await aPerson(gleaner, { name: 'Ada of the mill' }),
      await aPerson(gleaner, { name: 'Bob' }),
    ];
    await community.computeTogether(1, ada, bob);
    await ada.post('/v1/teams', { name: 'Millers' }).expect(201);
    const anonymous = await TestHost.attach(gleaner.url);
    await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret }).expect(200);
    await gleaner.app.get(BoardKeeper).reconcile();
    const machineId = hostPage.parse((await ada.get('/v1/hosts').expect(200)).body).items[0]?.id;
    await ada.delete('/v1/accounts/me').send({ name: 'Ada' }).expect(400);
    await ada.delete('/v1/accounts/me').send({ name: 'Ada of the mill' }).expect(204);

    await ada.get('/v1/accounts/me').expect(401);
    await clientWith(gleaner, anonymous.attached.secret).get('/v1/accounts/me').expect(401);
    const everything = JSON.stringify(
      await gleaner.dataSource.query(
        `SELECT (SELECT json_agg(a) FROM account a) AS a, (SELECT json_agg(h) FROM host h WHERE account_id = $1) AS h,
                (SELECT json_agg(b) FROM board_name b WHERE kind = 'accounts' OR id = $2) AS b, (SELECT json_agg(e) FROM audit_entry e) AS e`,
        [ada.account.id, machineId],
      ),
    );
    expect(everything).not.toContain('Ada of the mill');
    expect(everything).not.toContain('test host');
    await community.expectToReconcile();
    const board = await gleaner.http.get('/v1/boards/accounts?q=deleted').expect(200);
    expect(board.body).toMatchObject({ items: [{ name: 'deleted volunteer', credit: '123456' }] });
    const search = await gleaner.http.get('/v1/boards/accounts?q=of%20the%20mill').expect(200);
    expect(search.body).toMatchObject({ items: [] });
  });

  it('gives back what the person’s hosts hold', async () => {
    await community.aJob(1);
    const ada = await aPerson(gleaner, { name: 'Ada' });
    const machine = await community.aHost(ada);
    expect((await machine.ask()).tasks).toHaveLength(1);
    await ada.delete('/v1/accounts/me').send({ name: 'Ada' }).expect(204);
    expect(
      await gleaner.dataSource.query('SELECT count(*)::int AS n FROM lease WHERE host_id = $1', [
        machine.attached.hostId,
      ]),
    ).toEqual([{ n: 0 }]);
  });

  it('waits for jobs to end, and leaves an operator', async () => {
    const ada = await aPerson(gleaner, { name: 'Ada' });
    await seedJob(gleaner.dataSource, { units: 1, accountId: ada.account.id });
    const refused = await ada.delete('/v1/accounts/me').send({ name: 'Ada' }).expect(409);
    expect(refused.body).toMatchObject({ code: 'wrong-state' });
    await operatorOf(gleaner).delete('/v1/accounts/me').send({ name: 'operator' }).expect(409);
  });
});
