import { team } from '@gleaner/protocol';
import type supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, operatorOf, type TestApplication } from '../support/index.js';
import { Community } from './community.js';

let community: Community;
let gleaner: TestApplication;
beforeAll(async () => {
  community = await Community.start();
  ({ gleaner } = community);
});
afterAll(() => gleaner.close());

describe('what is far too long', () => {
  const LONG = 'x'.repeat(10_000);
  const owned = async () => {
    const ada = await aPerson(gleaner);
    const { hostId } = (await community.aHost(ada)).attached;
    const founded = team.parse((await ada.post('/v1/teams', { name: `Team of ${hostId}` }).expect(201)).body);
    return { ada, hostId, teamId: founded.id };
  };
  type Owned = Awaited<ReturnType<typeof owned>>;
  const facts = { kind: 'agent', cores: 1, memoryMiB: 1024 };

  it.each<[string, string, (test: Owned) => supertest.Test]>([
    ['the name of an account', '/name', ({ ada }) => ada.patch('/v1/accounts/me').send({ name: LONG })],
    ['the name of a team', '/name', ({ ada }) => ada.post('/v1/teams', { name: LONG })],
    [
      'a new name of a team',
      '/name',
      ({ ada, teamId }) => ada.patch(`/v1/teams/${teamId}`).set('if-match', '*').send({ name: LONG }),
    ],
    [
      'the description of a team',
      '/description',
      ({ ada }) => ada.post('/v1/teams', { name: 'a', description: LONG }),
    ],
    [
      'the name of a host',
      '/host/name',
      ({ ada }) => ada.post('/v1/hosts', { host: { ...facts, name: LONG } }),
    ],
    [
      'a new name of a host',
      '/name',
      ({ ada, hostId }) => ada.patch(`/v1/hosts/${hostId}`).set('if-match', '*').send({ name: LONG }),
    ],
    [
      'the platform of a host',
      '/host/platform',
      ({ ada }) => ada.post('/v1/hosts', { host: { ...facts, name: 'a', platform: LONG } }),
    ],
    [
      'the name of a project',
      '/name',
      ({ ada }) => ada.post('/v1/projects', { slug: 'long-name', name: LONG }),
    ],
    [
      'the label of a token',
      '/label',
      ({ ada }) => ada.post('/v1/tokens', { label: LONG, scopes: ['work'] }),
    ],
    [
      'why a host is held',
      '/reason',
      ({ hostId }) => operatorOf(gleaner).put(`/v1/hosts/${hostId}/hold`).send({ reason: LONG }),
    ],
    [
      'why everything is paused',
      '/reason',
      () => operatorOf(gleaner).put('/v1/operator/dispatch-pause').send({ reason: LONG }),
    ],
    ['a search', '/q', () => gleaner.http.get(`/v1/boards/accounts?q=${LONG}`)],
    [
      'a name that signs up',
      '/name',
      () =>
        gleaner.http
          .post('/v1/session/sign-up')
          .send({ name: LONG, email: 'long@example.org', password: 'correct horse battery' }),
    ],
  ])('is refused with its place: %s', async (_what, pointer, send) => {
    const refused = await send(await owned());
    expect({ status: refused.status, body: refused.body as unknown }).toMatchObject({
      status: 400,
      body: { errors: [{ pointer }] },
    });
    expect(refused.text.length).toBeLessThan(2_000);
  });
});
