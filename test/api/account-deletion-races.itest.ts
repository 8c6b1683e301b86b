import { account, createdToken, team } from '@gleaner/protocol';
import type { Test } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, clientWith, type TestPerson } from '../support/index.js';
import { APPROVALS, HOST, HOSTS, statusWhileDeleting } from './account-deletion.js';
import { ScientistDesk } from './scientist-desk.js';

let desk: ScientistDesk;
beforeAll(async () => {
  desk = await ScientistDesk.open();
});
afterAll(() => desk.close());

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

describe('while an account is being deleted', () => {
  it('no machine is attached to it', async () => {
    const person = await aPerson(desk.gleaner);
    expect(await statusWhileDeleting(desk.gleaner, person, () => person.post('/v1/hosts', HOST))).toBe(401);
    const hosts = 'SELECT FROM host WHERE account_id = $1 AND detached_at IS NULL';
    expect(await desk.gleaner.dataSource.query(hosts, [person.account.id])).toEqual([]);
  });

  it('no token is made for it', async () => {
    const person = await aPerson(desk.gleaner);
    const wish = { label: 'a name', scopes: ['work'] };
    expect(await statusWhileDeleting(desk.gleaner, person, () => person.post('/v1/tokens', wish))).toBe(404);
    const tokens = 'SELECT FROM api_token WHERE account_id = $1';
    expect(await desk.gleaner.dataSource.query(tokens, [person.account.id])).toEqual([]);
  });

  it('nobody signs in to it', async () => {
    const person = await aPerson(desk.gleaner);
    expect(await statusWhileDeleting(desk.gleaner, person, () => person.post('/v1/session/token'))).toBe(401);
    const tokens = 'SELECT FROM api_token WHERE account_id = $1';
    expect(await desk.gleaner.dataSource.query(tokens, [person.account.id])).toEqual([]);
  });

  it.each([
    ['it is held', HOSTS],
    ['its address and password are gone', APPROVALS],
  ] as const)('nobody signs in to it with a password, when %s', async (when, held) => {
    const person = await aPersonWithPassword(`${when.replaceAll(' ', '-')}@example.org`);
    expect(await statusWhileDeleting(desk.gleaner, person, person.signIn, held)).toBe(401);
    const tokens = 'SELECT FROM api_token WHERE account_id = $1';
    expect(await desk.gleaner.dataSource.query(tokens, [person.account.id])).toEqual([]);
    expect((await person.signIn()).status).toBe(401);
  });

  it('it joins no team', async () => {
    const [founder, person] = [await aPerson(desk.gleaner), await aPerson(desk.gleaner)];
    const { id } = team.parse((await founder.post('/v1/teams', { name: 'A Team' }).expect(201)).body);
    const membership = `/v1/teams/${id}/members/me`;
    expect(await statusWhileDeleting(desk.gleaner, person, () => person.put(membership))).toBe(401);
    const after = await desk.gleaner.http.get(`/v1/teams/${id}`).expect(200);
    expect(team.parse(after.body).members).toBe(1);
  });

  it('no job is submitted by it', async () => {
    const { scientist, project } = desk.science;
    const request = { project, spec: desk.aSpec() };
    expect(
      await statusWhileDeleting(desk.gleaner, scientist, () => scientist.post('/v1/jobs', request)),
    ).toBe(401);
    const jobs = 'SELECT FROM job WHERE account_id = $1';
    expect(await desk.gleaner.dataSource.query(jobs, [scientist.account.id])).toEqual([]);
  });
});
