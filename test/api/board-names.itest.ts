import { attachedHost, problem } from '@gleaner/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aPerson, operatorOf, Rival, type TestApplication } from '../support/index.js';
import { Community } from './community.js';

let community: Community;
let gleaner: TestApplication;
beforeAll(async () => {
  community = await Community.start();
  ({ gleaner } = community);
});
afterAll(() => gleaner.close());

/** Statements that have this in them and wait for a lock. */
const WAITING = `
  SELECT FROM pg_stat_activity
   WHERE datname = current_database() AND wait_event_type = 'Lock' AND position($1 IN query) > 0`;
const isWaiting = async (word: string): Promise<boolean> =>
  (await gleaner.dataSource.query<unknown[]>(WAITING, [word])).length > 0;

it('boards that are made anew show the names that people chose meanwhile', async () => {
  const [ada, bob] = [await aPerson(gleaner, { name: 'Ada' }), await aPerson(gleaner, { name: 'Bob' })];
  await community.computeTogether(1, ada, bob);
  await community.expectToReconcile();
  // Names are written in the order of ids: Bob's comes later.
  await using rival = await Rival.holding(
    gleaner.dataSource,
    "SELECT FROM board_name WHERE kind = 'accounts' AND id = $1 FOR UPDATE",
    [ada.account.id],
  );
  await operatorOf(gleaner).post('/v1/operator/boards/rebuild').expect(202);
  await expect.poll(() => isWaiting('earned AS MATERIALIZED')).toBe(true);
  let isRenamed = false;
  const renamed = bob
    .patch('/v1/accounts/me')
    .send({ name: 'Robert' })
    .expect(200)
    .then(() => (isRenamed = true));
  // The keeper of the boards may wait as well.
  await expect.poll(async () => isRenamed || (await isWaiting('lock_timeout'))).toBe(true);
  await rival.commit();
  await renamed;
  const name = "SELECT name FROM board_name WHERE kind = 'accounts' AND id = $1";
  // Which waits for it.
  await community.expectToReconcile();
  expect(await gleaner.dataSource.query(name, [bob.account.id])).toEqual([{ name: 'Robert' }]);
});

it('whoever needs a board that is being made anew is told so, and holds up nobody', async () => {
  const ada = await aPerson(gleaner);
  const facts = { name: 'a name', kind: 'browser', cores: 1, memoryMiB: 1024 };
  const secrets = [];
  for (let n = 0; n < gleaner.config.databaseConnections + 2; n += 1) {
    const attached = await gleaner.http.post('/v1/hosts').send({ host: facts }).expect(201);
    secrets.push(attachedHost.parse(attached.body).secret);
  }
  const claim = async (secret: string): Promise<string> =>
    problem.parse((await ada.post('/v1/accounts/me/claims', { secret })).body).code;
  await using rival = await Rival.holding(
    gleaner.dataSource,
    "SELECT pg_advisory_xact_lock(hashtext('board accounts'))",
  );
  const refused = await Promise.all(secrets.map(claim));
  expect(new Set(refused)).toEqual(new Set(['server-busy']));
  await rival.commit();
  await ada.post('/v1/accounts/me/claims', { secret: secrets[0] }).expect(200);
});
