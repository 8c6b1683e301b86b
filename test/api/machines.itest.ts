import { BoardKeeper } from '@gleaner/coordinator';
import { boardRow, host, hostPage, hostTasks, leaderboard, parseTaskId, type Host } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPerson,
  clientWith,
  honestResult,
  operatorOf,
  type TestApplication,
  type TestClient,
} from '../support/index.js';
import { Community } from './community.js';

let community: Community;
let gleaner: TestApplication;
beforeAll(async () => {
  community = await Community.start();
  ({ gleaner } = community);
});
afterAll(() => gleaner.close());

describe('a host, from afar', () => {
  async function read(person: TestClient, hostId: string): Promise<{ etag: string; host: Host }> {
    const response = await person.get(`/v1/hosts/${hostId}`).expect(200);
    return { etag: response.get('etag') ?? '', host: host.parse(response.body) };
  }

  it('hears what its owner wishes when it next calls, and why it gets no work', async () => {
    const ada = await aPerson(gleaner);
    const machine = await community.aHost(ada);
    expect((await machine.work()).wishes).toBeUndefined();
    const { etag } = await read(ada, machine.attached.hostId);
    const changed = await ada
      .patch(`/v1/hosts/${machine.attached.hostId}`)
      .set('if-match', etag)
      .send({ run: 'pause', preferences: { onBattery: 'pause', cpuTimePercent: { idle: 50 } } })
      .expect(200);
    const { version } = host.parse(changed.body).wishes;
    expect(version).toBeGreaterThan(0);
    const wishes = {
      run: 'pause',
      version,
      preferences: { onBattery: 'pause', cpuTimePercent: { idle: 50 } },
    };
    expect(host.parse(changed.body).wishes).toEqual(wishes);
    const answer = await machine.work({ request: { maxTasks: 1, memoryMiB: 1024 } });
    expect(answer.wishes).toEqual(wishes);
    expect(answer.noWork).toMatchObject([{ code: 'owner-paused' }]);
    const overruled = await machine.work({
      request: { maxTasks: 1, memoryMiB: 1024, overrulesWishes: version },
    });
    expect(overruled.noWork).not.toMatchObject([{ code: 'owner-paused' }]);
    expect((await machine.work({ request: { maxTasks: 1, memoryMiB: 1024 } })).noWork).toMatchObject([
      { code: 'owner-paused' },
    ]);
    const beat = await machine.post('/v1/heartbeat', { running: [] });
    expect(beat).toMatchObject({ wishes });
    const seen = hostTasks.parse(
      (await ada.get(`/v1/hosts/${machine.attached.hostId}/tasks`).expect(200)).body,
    );
    expect(seen.lastAnswer?.noWork).toMatchObject([{ code: 'owner-paused' }]);
  });

  it('keeps the change of one of two tabs, and tells the other', async () => {
    const ada = await aPerson(gleaner);
    const { hostId } = (await community.aHost(ada)).attached;
    const { etag } = await read(ada, hostId);
    const change = (run: string) => ada.patch(`/v1/hosts/${hostId}`).set('if-match', etag).send({ run });
    const answers = await Promise.all([change('pause'), change('finish')]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    const kept = answers.find(({ status }) => status === 200)?.body as unknown;
    expect((await read(ada, hostId)).host.wishes).toEqual(host.parse(kept).wishes);
    await ada.patch(`/v1/hosts/${hostId}`).send({ run: 'run' }).expect(428);
  });

  it('is changed by nobody else, and not by itself', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const { hostId, secret } = (await community.aHost(ada)).attached;
    for (const [client, status] of [
      [eve, 404],
      [operatorOf(gleaner), 404],
      [clientWith(gleaner, secret), 403],
    ] as const) {
      await client.patch(`/v1/hosts/${hostId}`).set('if-match', '*').send({ run: 'pause' }).expect(status);
    }
    await eve.get(`/v1/hosts/${hostId}/tasks`).expect(404);
    for (const id of ['0', '-1', '9e9', '1%20OR%201=1', '99999999999999999999']) {
      expect((await ada.get(`/v1/hosts/${id}/tasks`)).status).toBe(400);
    }
    const refused = await ada
      .patch(`/v1/hosts/${hostId}`)
      .set('if-match', '*')
      .send({ preferences: { cpuTimePercent: { idle: 1000 } } })
      .expect(400);
    expect(refused.body).toMatchObject({ errors: [{ pointer: '/preferences/cpuTimePercent/idle' }] });
  });

  it('is called by its number on the boards until its owner names it: machines are called after people', async () => {
    const [ada, bob] = [await aPerson(gleaner), await aPerson(gleaner)];
    await community.computeTogether(1, ada, bob);
    const mine = async (): Promise<Host> => {
      const [found] = hostPage.parse((await ada.get('/v1/hosts')).body).items;
      if (!found) throw new Error('Ada has no host');
      return found;
    };
    const { id, name, publicName } = await mine();
    expect(name).not.toBe(publicName);
    expect(publicName).toBe(`host ${id}`);
    await gleaner.app.get(BoardKeeper).reconcile();
    const onBoards = async (): Promise<string[]> => {
      const row = boardRow.parse((await gleaner.http.get(`/v1/boards/hosts/rows/${id}`).expect(200)).body);
      const list = leaderboard.parse((await gleaner.http.get('/v1/leaderboards/hosts?limit=200')).body);
      return [row.name, list.items.find((item) => item.id === id)?.name ?? ''];
    };
    expect(await onBoards()).toEqual([publicName, publicName]);
    await ada.patch(`/v1/hosts/${id}`).set('if-match', '*').send({ name: 'The old laptop' }).expect(200);
    expect((await mine()).publicName).toBe('The old laptop');
    await expect.poll(onBoards).toEqual(['The old laptop', 'The old laptop']);
    const named = { name: 'Rack 3', isNamed: true, kind: 'agent', cores: 1, memoryMiB: 1024 };
    await ada.post('/v1/hosts', { host: named }).expect(201);
    expect((await mine()).publicName).toBe('Rack 3');
  });

  it('shows its tasks by state, given back, lost and late ones too', async () => {
    const { jobId, scientist } = await community.aJob(5);
    const ada = await aPerson(gleaner);
    const machine = await community.aHost(ada);
    const { hostId } = machine.attached;
    const [first, returned, lost, late, unwanted] = await machine.take(5);
    if (!first || !returned || !lost || !late || !unwanted) throw new Error('the five units did not come');
    const counts = async (): Promise<Record<string, number | null>> => {
      const seen = hostTasks.parse((await ada.get(`/v1/hosts/${hostId}/tasks`)).body);
      return Object.fromEntries(seen.counts.map(({ state, count }) => [state, count]));
    };
    await machine.report(honestResult(first));
    await machine.post('/v1/heartbeat', { running: [], returned: [returned.taskId] });
    const seen = hostTasks.parse((await ada.get(`/v1/hosts/${hostId}/tasks`)).body);
    expect(seen.inProgress.map(({ taskId }) => taskId).toSorted()).toEqual(
      [lost, late, unwanted].map(({ taskId }) => taskId).toSorted(),
    );
    const none = { valid: 0, invalid: 0, error: 0 };
    expect(await counts()).toEqual({ ...none, 'in-progress': 3, reported: 1, aborted: 1, lost: 0 });
    for (const { taskId } of [lost, late]) {
      await gleaner.dataSource.query(
        "UPDATE lease SET expires_at = now() - interval '1 s' WHERE unit_id = $1",
        [parseTaskId(taskId).unitId],
      );
    }
    await expect.poll(counts).toEqual({ ...none, 'in-progress': 1, reported: 1, aborted: 1, lost: 2 });
    await machine.report(honestResult(late));
    await expect.poll(counts).toEqual({ ...none, 'in-progress': 1, reported: 2, aborted: 1, lost: 1 });
    // The job is cancelled: what is computed or waits for agreement is not wanted any more.
    await scientist.delete(`/v1/jobs/${jobId}`).expect(204);
    await expect.poll(async () => (await counts())['aborted']).toBe(4);
    const [card] = hostPage.parse((await ada.get('/v1/hosts')).body).items;
    expect(card).toMatchObject({ lostTasks: 1, abortedTasks: 4 });
  });

  it('shows its owner, and nobody else, what it says of itself, until it is silent', async () => {
    const ada = await aPerson(gleaner);
    const machine = await community.aHost(ada);
    const { hostId } = machine.attached;
    const ask = { request: { maxTasks: 1, memoryMiB: 1024 } };
    const seen = async () => (await read(ada, hostId)).host.state;
    expect(await seen()).toBeNull();
    await machine.work({ ...ask, state: { phase: 'waiting', reason: 'waiting: no work at the moment' } });
    expect(await seen()).toMatchObject({ phase: 'waiting', reason: 'waiting: no work at the moment' });
    // It does not say what has not changed, and is not believed to change every second, however long the next call takes.
    await machine.work(ask);
    const justNow = "UPDATE host SET said_at = now() + interval '1 hour' WHERE id = $1";
    await gleaner.dataSource.query(justNow, [hostId]);
    const paused = { phase: 'paused', reason: 'paused: you are typing' };
    await machine.post('/v1/heartbeat', { running: [], state: paused });
    expect(await seen()).toMatchObject({ phase: 'waiting' });
    const longAgo = "UPDATE host SET said_at = now() - interval '1 minute' WHERE id = $1";
    await gleaner.dataSource.query(longAgo, [hostId]);
    await machine.post('/v1/heartbeat', { running: [], state: paused });
    expect(await seen()).toMatchObject(paused);
    expect(hostPage.parse((await ada.get('/v1/hosts')).body).items).toMatchObject([{ state: paused }]);
    const operator = operatorOf(gleaner);
    expect((await read(operator, hostId)).host.state).toBeNull();
    const listed = await operator.get(`/v1/hosts?account=${ada.account.id}`).expect(200);
    expect(hostPage.parse(listed.body).items).toMatchObject([{ state: null }]);
    await gleaner.dataSource.query(
      "UPDATE host SET last_seen_at = now() - interval '12 minutes' WHERE id = $1",
      [hostId],
    );
    expect(await seen()).toBeNull();
    const tooLong = { phase: 'paused', reason: 'x'.repeat(10_000) };
    await expect(machine.post('/v1/heartbeat', { running: [], state: tooLong })).rejects.toThrow(
      /400.*state\/reason/,
    );
  });
});
