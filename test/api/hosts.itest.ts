import { HostEvents } from '@gleaner/coordinator';
import { attachedHost, host, hostPage, team } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPerson,
  clientWith,
  createTestApplication,
  operatorOf,
  type TestApplication,
} from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication({ env: { GLEANER_ATTACHES_PER_HOUR: '6' } });
});
afterAll(() => gleaner.close());

const facts = { name: 'laptop', kind: 'agent', cores: 4, memoryMiB: 8192, platform: 'linux-x64' };

describe('hosts', () => {
  it('join the account of a token and get one that can only work', async () => {
    const ada = await aPerson(gleaner);
    const response = await ada.post('/v1/hosts', { host: facts }).expect(201);
    const attached = attachedHost.parse(response.body);
    expect(attached).toMatchObject({
      accountId: ada.account.id,
      anonymous: false,
      coordinator: { name: 'Gleaner' },
    });
    expect(new URL(attached.coordinator.url).port).toBe(String(gleaner.coordinator.port));
    const itself = clientWith(gleaner, attached.secret);
    expect(host.parse((await itself.get(`/v1/hosts/${attached.hostId}`).expect(200)).body)).toMatchObject({
      name: 'laptop',
      cores: 4,
      memoryMiB: 8192,
      inProgress: 0,
      credit: '0',
      allowance: { perDay: 64, usedToday: 0 },
      held: null,
    });
    await itself.post('/v1/projects', { slug: 'mine', name: 'mine' }).expect(403);
    await itself.post('/v1/tokens', { label: 'x', scopes: ['work'] }).expect(403);
    await itself.get('/v1/tokens').expect(403);
    await itself.post('/v1/hosts', { host: facts }).expect(403);
  });

  it('do not speak for the person in a team', async () => {
    const ada = await aPerson(gleaner);
    const { secret } = attachedHost.parse((await ada.post('/v1/hosts', { host: facts })).body);
    const itself = clientWith(gleaner, secret);
    const founded = team.parse((await ada.post('/v1/teams', { name: 'Those of Ada' }).expect(201)).body);
    const path = `/v1/teams/${founded.id}`;
    await itself.patch(path).set('if-match', '*').send({ name: 'Those of nobody' }).expect(403);
    await itself.delete(`${path}/members/me`).expect(403);
    expect(team.parse((await ada.get(path)).body)).toMatchObject({ name: 'Those of Ada', members: 1 });
  });

  it('are changed by more calls at the same moment than there are connections', async () => {
    const ada = await aPerson(gleaner);
    const { hostId } = attachedHost.parse((await ada.post('/v1/hosts', { host: facts })).body);
    const rename = async (n: number): Promise<number> => {
      const { status } = await ada
        .patch(`/v1/hosts/${hostId}`)
        .set('if-match', '*')
        .send({ name: `laptop ${n}` });
      return status;
    };
    const calls = Array.from({ length: gleaner.config.databaseConnections + 4 }, (_, n) => rename(n));
    expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
  });

  it('are seen by their owner alone, and by operators', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const first = attachedHost.parse((await ada.post('/v1/hosts', { host: facts })).body);
    const second = attachedHost.parse(
      (await ada.post('/v1/hosts', { host: { ...facts, name: 'tower' } })).body,
    );
    expect(hostPage.parse((await ada.get('/v1/hosts')).body).items.map(({ name }) => name)).toEqual([
      'tower',
      'laptop',
    ]);
    await eve.get(`/v1/hosts/${first.hostId}`).expect(404);
    await eve.get(`/v1/hosts?account=${ada.account.id}`).expect(403);
    await eve.delete(`/v1/hosts/${first.hostId}`).expect(404);
    const sibling = clientWith(gleaner, second.secret);
    await sibling.get(`/v1/hosts/${first.hostId}`).expect(404);
    await sibling.delete(`/v1/hosts/${first.hostId}`).expect(404);
    await operatorOf(gleaner).get(`/v1/hosts?account=${ada.account.id}`).expect(200);
  });

  it('lose their token and their tasks when detached, once', async () => {
    const detached: string[] = [];
    gleaner.app.get(HostEvents).onDetached((_manager, hostIds) => {
      detached.push(...hostIds);
      return Promise.resolve(() => undefined);
    });
    const ada = await aPerson(gleaner);
    const attached = attachedHost.parse((await ada.post('/v1/hosts', { host: facts })).body);
    const itself = clientWith(gleaner, attached.secret);
    await itself.get(`/v1/hosts/${attached.hostId}`).expect(200);
    await itself.delete(`/v1/hosts/${attached.hostId}`).expect(204);
    await itself.get(`/v1/hosts/${attached.hostId}`).expect(401);
    await ada.delete(`/v1/hosts/${attached.hostId}`).expect(204);
    await ada.get(`/v1/hosts/${attached.hostId}`).expect(404);
    expect(detached).toEqual([attached.hostId]);
  });

  it('can be held by operators, with a reason, and released', async () => {
    const ada = await aPerson(gleaner);
    const { hostId } = attachedHost.parse((await ada.post('/v1/hosts', { host: facts })).body);
    await ada.put(`/v1/hosts/${hostId}/hold`).send({ reason: 'I say so' }).expect(403);
    const operator = operatorOf(gleaner);
    await operator.put(`/v1/hosts/${hostId}/hold`).send({ reason: 'too fast to be true' }).expect(200);
    expect((await ada.get(`/v1/hosts/${hostId}`)).body).toMatchObject({ held: 'too fast to be true' });
    await operator.put(`/v1/hosts/${hostId}/hold`).send({ reason: null }).expect(200);
    expect((await ada.get(`/v1/hosts/${hostId}`)).body).toMatchObject({ held: null });
  });

  it('are not held when they have left', async () => {
    const ada = await aPerson(gleaner);
    const { hostId } = attachedHost.parse((await ada.post('/v1/hosts', { host: facts })).body);
    await ada.delete(`/v1/hosts/${hostId}`).expect(204);
    const operator = operatorOf(gleaner);
    await operator.put(`/v1/hosts/${hostId}/hold`).send({ reason: 'too fast to be true' }).expect(404);
    const held = 'SELECT held_reason FROM host WHERE id = $1';
    expect(await gleaner.dataSource.query(held, [hostId])).toEqual([{ held_reason: null }]);
  });

  it.each([
    [{ host: { ...facts, cores: 0 } }, '/host/cores'],
    [{ host: { ...facts, kind: 'toaster' } }, '/host/kind'],
    [{ host: { ...facts, memoryMiB: 1.5 } }, '/host/memoryMiB'],
    [{ host: { ...facts, gpu: true } }, '/host/gpu'],
    [{ host: { ...facts, name: 'a\0b' } }, '/host/name'],
    [{ host: { ...facts, platform: '\0' } }, '/host/platform'],
    [{}, '/host'],
  ])('are refused with a pointer for %j', async (body, pointer) => {
    const ada = await aPerson(gleaner);
    const response = await ada.post('/v1/hosts', body).expect(400);
    expect(response.body).toMatchObject({ errors: [{ pointer }] });
  });

  it('are told which task id is none', async () => {
    const { secret } = attachedHost.parse(
      (await (await aPerson(gleaner)).post('/v1/hosts', { host: facts }).expect(201)).body,
    );
    const host = clientWith(gleaner, secret);
    for (const taskId of ['1', '9007199254740992.0', '999999999999999999.0']) {
      const response = await host.post('/v1/heartbeat', { running: [{ taskId }] }).expect(400);
      expect(response.body).toMatchObject({ errors: [{ pointer: '/running/0/taskId' }] });
    }
  });

  it('need the scope "work" to join an account', async () => {
    const scientist = await aPerson(gleaner, { scopes: ['submit'] });
    await scientist.post('/v1/hosts', { host: facts }).expect(403);
    await scientist.get('/v1/hosts/0').expect(400);
  });

  it('attach anonymously, but not without end from one network', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++)
      statuses.push((await gleaner.http.post('/v1/hosts').send({ host: facts })).status);
    expect(statuses).toEqual([201, 201, 201, 201, 201, 201, 429]);
    const refused = await gleaner.http.post('/v1/hosts').send({ host: facts }).expect(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.body).toMatchObject({ code: 'rate-limited' });
    expect(refused.headers['ratelimit-policy']).toMatch(/^"default";q=\d+;w=60$/);
  });
});
