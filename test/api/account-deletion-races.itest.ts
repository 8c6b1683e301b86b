import { attachedHost, team } from '@gleaner/protocol';
import type { Test } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, type TestPerson } from '../support/index.js';
import { ScientistDesk } from './scientist-desk.js';

let desk: ScientistDesk;
beforeAll(async () => {
  desk = await ScientistDesk.open();
});
afterAll(() => desk.close());

const WAITING =
  "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
const HOST = { host: { name: 'a name', kind: 'agent', cores: 1, memoryMiB: 1024 } };

const statusOf = async (request: Test): Promise<number> => (await request).status;

/** The answer to what a person begins while their account is being deleted. */
async function statusWhileDeleting(person: TestPerson, begin: () => Test): Promise<number> {
  const { hostId } = attachedHost.parse((await person.post('/v1/hosts', HOST).expect(201)).body);
  const { dataSource } = desk.gleaner;
  const rival = dataSource.createQueryRunner();
  try {
    await rival.startTransaction();
    await rival.query('SELECT FROM host WHERE id = $1 FOR UPDATE', [hostId]);
    const deleted = statusOf(person.delete('/v1/accounts/me').send({ name: person.account.name }));
    await expect.poll(() => dataSource.query(WAITING)).toHaveLength(1);
    const begun = statusOf(begin());
    await expect.poll(() => dataSource.query(WAITING)).toHaveLength(2);
    await rival.commitTransaction();
    expect(await deleted).toBe(204);
    return await begun;
  } finally {
    if (rival.isTransactionActive) await rival.rollbackTransaction();
    await rival.release();
  }
}

describe('while an account is being deleted', () => {
  it('no machine is attached to it', async () => {
    const person = await aPerson(desk.gleaner);
    expect(await statusWhileDeleting(person, () => person.post('/v1/hosts', HOST))).toBe(401);
    const hosts = 'SELECT FROM host WHERE account_id = $1 AND detached_at IS NULL';
    expect(await desk.gleaner.dataSource.query(hosts, [person.account.id])).toEqual([]);
  });

  it('no token is made for it', async () => {
    const person = await aPerson(desk.gleaner);
    const wish = { label: 'a name', scopes: ['work'] };
    expect(await statusWhileDeleting(person, () => person.post('/v1/tokens', wish))).toBe(404);
    const tokens = 'SELECT FROM api_token WHERE account_id = $1';
    expect(await desk.gleaner.dataSource.query(tokens, [person.account.id])).toEqual([]);
  });

  it('nobody signs in to it', async () => {
    const person = await aPerson(desk.gleaner);
    expect(await statusWhileDeleting(person, () => person.post('/v1/session/token'))).toBe(401);
    const tokens = 'SELECT FROM api_token WHERE account_id = $1';
    expect(await desk.gleaner.dataSource.query(tokens, [person.account.id])).toEqual([]);
  });

  it('it joins no team', async () => {
    const [founder, person] = [await aPerson(desk.gleaner), await aPerson(desk.gleaner)];
    const { id } = team.parse((await founder.post('/v1/teams', { name: 'A Team' }).expect(201)).body);
    const membership = `/v1/teams/${id}/members/me`;
    expect(await statusWhileDeleting(person, () => person.put(membership))).toBe(401);
    const after = await desk.gleaner.http.get(`/v1/teams/${id}`).expect(200);
    expect(team.parse(after.body).members).toBe(1);
  });

  it('no job is submitted by it', async () => {
    const { scientist, project } = desk.science;
    const request = { project, spec: desk.aSpec() };
    expect(await statusWhileDeleting(scientist, () => scientist.post('/v1/jobs', request))).toBe(401);
    const jobs = 'SELECT FROM job WHERE account_id = $1';
    expect(await desk.gleaner.dataSource.query(jobs, [scientist.account.id])).toEqual([]);
  });
});
