import { LIMITS } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DispatchFixture, honestResult, RUNTIME, seedJob } from '../support/index.js';
import { call, type RawAnswer } from './raw-calls.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

describe('a request for work', () => {
  const work = (token: string, body: object): Promise<RawAnswer> =>
    call(dispatch.gleaner.url, 'POST', '/v1/work', {
      token,
      body: JSON.stringify({ protocol: 1, runtimeVersions: [RUNTIME], ...body }),
    });

  it('needs the token of a host', async () => {
    expect(await work(dispatch.scientist.token, {})).toMatchObject({
      status: 403,
      problem: { code: 'forbidden' },
    });
  });

  it('of a host that is detached while it calls is answered as its next one will be', async () => {
    const { secret, hostId } = (await dispatch.aHost()).attached;
    // The token has been looked at by then, and the host has not.
    await using rival = await dispatch.rivalHolding('LOCK TABLE host_standing IN ACCESS EXCLUSIVE MODE');
    const answer = work(secret, {});
    await rival.isWaitedFor();
    await dispatch.query('UPDATE host SET detached_at = now() WHERE id = $1', [hostId]);
    await rival.commit();
    expect(await answer).toMatchObject({ status: 401, problem: { code: 'unauthorised' } });
  });

  it('of an agent that is too old is answered with what to do about it', async () => {
    const { secret } = (await dispatch.aHost()).attached;
    const { status, problem } = await work(secret, { protocol: 0 });
    expect([status, problem.code]).toEqual([426, 'agent-too-old']);
    expect(problem.detail).toContain('update');
  });

  it('names the memory that is missing', async () => {
    await dispatch.aJob({ memoryMiB: 512 });
    const host = await dispatch.aHost();
    await expect
      .poll(async () => (await host.ask(1, 256, 1)).noWork)
      .toContainEqual({
        code: 'memory-too-small',
        count: 1,
        message: '1 unit needs 512 MiB, you offer 256',
      });
  });

  it('of a browser is told which units only agents get, however much it offers', async () => {
    await dispatch.aJob({ units: 3, memoryMiB: 16 });
    const tab = await dispatch.aHost({ kind: 'browser' });
    await expect
      .poll(async () => (await tab.ask(1, 1024, 1)).noWork)
      .toEqual([
        { code: 'agents-only', count: 3, message: expect.stringContaining('only agents get them') as string },
      ]);
  });

  it('counts each unit once, however many tickets of it there are', async () => {
    await dispatch.aJob({ units: 3, replication: { quorum: 3 } });
    const host = await dispatch.aHost();
    await host.take(3);
    const reasons = async (): Promise<object[]> => (await host.ask(8, 4096, 1)).noWork;
    await expect
      .poll(reasons)
      .toEqual([{ code: 'already-has-task', count: 3, message: '3 units already have a task of yours' }]);
  });

  it('is served with small units, too, while there are large ones', async () => {
    const large = await dispatch.aJob({ units: 5_000, memoryMiB: 2048 });
    let host = await dispatch.aHost();
    expect((await host.ask(1, 4096)).tasks[0]?.jobId).toBe(String(large.jobId));
    const small = await seedJob(dispatch.gleaner.dataSource, {
      units: 10,
      memoryMiB: 64,
      accountId: dispatch.scientist.accountId,
    });
    const given: string[] = [];
    while (!given.includes(String(small.jobId)) && given.length < 5_000) {
      const { tasks, noWork } = await host.work({ request: { maxTasks: 1, memoryMiB: 4096 } });
      for (const { jobId } of tasks) given.push(jobId);
      if (noWork.some(({ code }) => code === 'allowance-used')) host = await dispatch.aHost();
      await host.report(...tasks.map((task) => honestResult(task)));
    }
    expect(given).toContain(String(small.jobId));
  });

  it.each([
    ['more tasks than one call gives', { request: { maxTasks: 65, memoryMiB: 1 } }, '/request/maxTasks'],
    ['no sandbox', { runtimeVersions: [] }, '/runtimeVersions'],
    ['a protocol of the future', { protocol: 99 }, '/protocol'],
    ['an unknown field', { extra: 1 }, '/extra'],
    ['a result of no task', { reports: [{ taskId: 'x' }] }, '/reports/0/taskId'],
    ['more held tasks than a host may have', { holding: Array(1025).fill('1.0') }, '/holding'],
  ])('with %s is refused with its place', async (_what, body, pointer) => {
    const { status, problem } = await work((await dispatch.aHost()).attached.secret, body);
    expect([status, problem.type]).toEqual([400, expect.stringContaining('invalid-request')]);
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it('with more reports than one call takes is refused, and none of them is stored', async () => {
    const { firstUnitId } = await dispatch.aJob();
    const host = await dispatch.aHost();
    const task = await dispatch.aTask(host);
    const reports = Array.from({ length: LIMITS.tasksPerCall + 1 }, () => honestResult(task));
    const { status, problem } = await work(host.attached.secret, { reports });
    expect([status, problem.errors?.map((error) => error.pointer)]).toEqual([400, ['/reports']]);
    expect(await dispatch.query('SELECT state FROM task WHERE unit_id = $1', [firstUnitId])).toEqual([
      { state: 'in-progress' },
    ]);
  });

  it('may report a time that is too short for words, and harms nobody whose results come with it', async () => {
    await dispatch.aJob({ units: 2, replication: { quorum: 1 } });
    const [host, neighbour] = [await dispatch.aHost(), await dispatch.aHost()];
    const results: object[] = [];
    for (const each of [host, neighbour]) {
      const [task] = (await each.ask(1)).tasks;
      if (!task) throw new Error('no task');
      results.push({ ...honestResult(task), cpuMs: each === host ? 5e-324 : 12 });
    }
    const answers = await Promise.all(
      [host, neighbour].map((each, at) => work(each.attached.secret, { reports: [results[at]] })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('may report one result twice in a call', async () => {
    await dispatch.aJob();
    const host = await dispatch.aHost();
    const result = honestResult(await dispatch.aTask(host));
    const { reports } = await host.report(result, result);
    expect(reports.map(({ status }) => status)).toEqual(['accepted', 'repeat']);
  });
});

describe('a heartbeat', () => {
  const beat = (body: unknown, token?: string): Promise<RawAnswer> =>
    call(dispatch.gleaner.url, 'POST', '/v1/heartbeat', { token, body: JSON.stringify(body) });

  it('comes from an attached host', async () => {
    expect(await beat({ running: [] })).toMatchObject({ status: 401 });
    expect(await beat({ running: [] }, dispatch.scientist.token)).toMatchObject({
      status: 403,
      problem: { code: 'forbidden' },
    });
  });

  it.each([
    ['nothing', {}, '/running'],
    ['an unknown field', { running: [], mood: 'good' }, '/mood'],
    [
      'a progress beyond the whole',
      { running: [{ taskId: '1.0', progressPermille: 1001 }] },
      '/running/0/progressPermille',
    ],
    [
      'more tasks than a host may have',
      { running: Array.from({ length: LIMITS.hostTasksInProgress + 1 }, () => ({ taskId: '1.0' })) },
      '/running',
    ],
    [
      'more returned tasks than a host may have',
      { running: [], returned: Array(LIMITS.hostTasksInProgress + 1).fill('1.0') },
      '/returned',
    ],
    ['a returned task that is none', { running: [], returned: ['x'] }, '/returned/0'],
  ])('with %s is refused with its place', async (_what, body, pointer) => {
    const host = await dispatch.aHost();
    const { status, problem } = await beat(body, host.attached.secret);
    expect([status, new Set(problem.errors?.map((error) => error.pointer))]).toEqual([
      400,
      new Set([pointer]),
    ]);
  });

  it('about the task of another host changes nothing for that one, and is told to stop', async () => {
    await dispatch.aJob();
    const [owner, stranger] = [await dispatch.aHost(), await dispatch.aHost()];
    const { taskId } = await dispatch.aTask(owner);
    const returned = { running: [{ taskId }], returned: [taskId] };
    expect(await stranger.post('/v1/heartbeat', returned)).toMatchObject({
      tasks: [{ taskId, action: 'abort', reason: 'this host has no such task' }],
    });
    expect(await owner.post('/v1/heartbeat', { running: [{ taskId }] })).toMatchObject({
      tasks: [{ taskId, action: 'keep' }],
    });
  });

  it('may return a task twice, also after it was reported', async () => {
    const { firstUnitId } = await dispatch.aJob({ units: 2 });
    const host = await dispatch.aHost();
    const [first, second] = [await dispatch.aTask(host), await dispatch.aTask(host)];
    const back = { running: [], returned: [first.taskId] };
    for (let times = 0; times < 2; times += 1) {
      expect(await host.post('/v1/heartbeat', back)).toMatchObject({ tasks: [] });
    }
    const { reports } = await host.report(honestResult(second));
    expect(reports).toMatchObject([{ status: 'accepted' }]);
    await host.post('/v1/heartbeat', { running: [], returned: [second.taskId] });
    const rows = await dispatch.query(
      'SELECT state FROM task WHERE unit_id BETWEEN $1 AND $1 + 1 AND host_id = $2 ORDER BY assigned_at',
      [firstUnitId, host.attached.hostId],
    );
    expect(rows).toEqual([{ state: 'aborted' }, { state: 'reported' }]);
  });
});

describe('holding a host', () => {
  const hold = (hostId: string, body: unknown, token = dispatch.gleaner.operatorToken): Promise<RawAnswer> =>
    call(dispatch.gleaner.url, 'PUT', `/v1/hosts/${hostId}/hold`, { token, body: JSON.stringify(body) });

  it('is the operator’s to do, for a host that exists, with a reason', async () => {
    const { hostId, secret } = (await dispatch.aHost()).attached;
    expect(await hold(hostId, { reason: 'x' }, secret)).toMatchObject({ status: 403 });
    expect(await hold('9007199254740991', { reason: 'x' })).toMatchObject({ status: 404 });
    expect(await hold('none', { reason: 'x' })).toMatchObject({
      status: 400,
      problem: { errors: [{ pointer: '/id' }] },
    });
    for (const [body, pointer] of [
      [{}, '/reason'],
      [{ reason: '' }, '/reason'],
      [{ reason: 'x'.repeat(LIMITS.reasonLength + 1) }, '/reason'],
      [{ reason: 'x', until: 'never' }, '/until'],
    ] as const) {
      expect(await hold(hostId, body)).toMatchObject({ status: 400, problem: { errors: [{ pointer }] } });
    }
    expect(
      await call(dispatch.gleaner.url, 'PUT', `/v1/hosts/${hostId}/hold`, { body: '{"reason":"x"}' }),
    ).toMatchObject({
      status: 401,
    });
  });
});
