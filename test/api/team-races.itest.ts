import { team } from '@gleaner/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  aPerson,
  createTestApplication,
  Rival,
  type TestApplication,
  type TestPerson,
} from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

const membership = (id: string) => `/v1/teams/${id}/members/me`;
const read = async (id: string) => team.parse((await gleaner.http.get(`/v1/teams/${id}`).expect(200)).body);

/** A team, who keeps it, and who will when that one leaves. */
async function aTeam(name: string): Promise<{ id: string; keeper: TestPerson; heir: TestPerson }> {
  const [keeper, heir] = [await aPerson(gleaner), await aPerson(gleaner)];
  const { id } = team.parse((await keeper.post('/v1/teams', { name }).expect(201)).body);
  await heir.put(membership(id)).expect(200);
  return { id, keeper, heir };
}

it('keepers of two teams who change places do not wait for each other', async () => {
  const [owls, larks] = [await aTeam('Owls'), await aTeam('Larks')];
  const join = async (person: TestPerson, id: string): Promise<number> =>
    (await person.put(membership(id))).status;
  await using rival = await Rival.holding(
    gleaner.dataSource,
    'SELECT FROM team_member WHERE account_id = $1 FOR UPDATE',
    [owls.keeper.account.id],
  );
  const first = join(owls.keeper, larks.id);
  await rival.isWaitedForBy(1);
  const second = join(larks.keeper, owls.id);
  await rival.isWaitedForBy(2);
  await rival.commit();
  expect(await Promise.all([first, second])).toEqual([200, 200]);
  expect(await read(owls.id)).toMatchObject({ members: 2, keeper: { id: owls.heir.account.id } });
  expect(await read(larks.id)).toMatchObject({ members: 2, keeper: { id: larks.heir.account.id } });
});
