import { account, attachedHost, createdToken, team } from '@gleaner/protocol';
import type { Test } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, clientWith, type TestPerson } from '../support/index.js';
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

/** Somebody who signs in with a password, as pages do. */
async function aPersonWithPassword(email: string): Promise<TestPerson & { signIn: () => Test }> {
  const { gleaner } = desk;
  const password = 'correct horse battery';
  const fromPage = (path: string): Test => gleaner.http.post(path).set('origin', gleaner.url);
  const facts = { name: 'Ada', email, password };
  const signedUp = await fromPage('/v1/session/sign-up').send(facts).expect(201);
  const cookie = signedUp.get('set-cookie')?.[0]?.split(';', 1)[0] ?? '';
  const wish = { label: 'a name', scopes: ['work', 'submit'] };
  const made = await fromPage('/v1/tokens').set('cookie', cookie).send(wish).expect(201);
  return {
    ...clientWith(gleaner, createdToken.parse(made.body).secret),
    account: account.parse(signedUp.body),
    signIn: () => fromPage('/v1/session/sign-in').send({ email, password }),
  };
}

/** What a deletion comes to when it has locked the account, and when nearly everything is gone. */
const HOSTS = 'SELECT FROM host WHERE account_id = $1 FOR UPDATE';
const APPROVALS = "SELECT FROM audit_entry WHERE account_id = $1 AND action = 'device.approve' FOR UPDATE";

/** The answer to what a person begins while their account is being deleted, which waits for what is held. */
async function statusWhileDeleting(
  person: TestPerson,
  begin: () => Test,
  held: typeof HOSTS | typeof APPROVALS = HOSTS,
): Promise<number> {
  attachedHost.parse((await person.post('/v1/hosts', HOST).expect(201)).body);
  const { dataSource } = desk.gleaner;
  await dataSource.query(
    "INSERT INTO audit_entry (account_id, action, subject) VALUES ($1, 'device.approve', 'a machine')",
    [person.account.id],
  );
  const rival = dataSource.createQueryRunner();
  try {
    await rival.startTransaction();
    await rival.query(held, [person.account.id]);
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

  it.each([
    ['it is held', HOSTS],
    ['its address and password are gone', APPROVALS],
  ] as const)('nobody signs in to it with a password, when %s', async (when, held) => {
    const person = await aPersonWithPassword(`${when.replaceAll(' ', '-')}@example.org`);
    expect(await statusWhileDeleting(person, person.signIn, held)).toBe(401);
    const tokens = 'SELECT FROM api_token WHERE account_id = $1';
    expect(await desk.gleaner.dataSource.query(tokens, [person.account.id])).toEqual([]);
    expect((await person.signIn()).status).toBe(401);
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
