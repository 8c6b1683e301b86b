import { createHash } from 'node:crypto';
import {
  LIMITS,
  type Problem,
  type ResultReport,
  resultDigestText,
  type TaskAssignment,
} from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/application.js';
import { createVolunteer, honestResult, RUNTIME, seedJob, TestHost } from './dispatch-fixture.js';

/** Too many bytes to come along with the report. */
const OUTPUT = Buffer.alloc(100_000, 'o');
const BYTES = 'application/octet-stream';

let app: TestApplication;
let scientist: { accountId: string; token: string };
beforeAll(async () => {
  app = await createTestApplication({
    redis: inject('redisUrl') !== null,
    env: { GLEANER_ALLOW_SAME_NETWORK: '1' },
  });
  scientist = await createVolunteer(app.url, app.operatorToken, 'scientist');
});
afterAll(() => app.close());

async function aHost(): Promise<TestHost> {
  const { token } = await createVolunteer(app.url, app.operatorToken, 'volunteer');
  return TestHost.attach(app.url, { token });
}

/** A job of one unit; nobody gets those of earlier tests. */
async function aJob(units = 1): Promise<number> {
  await app.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
  return (await seedJob(app.dataSource, { units, accountId: scientist.accountId })).firstUnitId;
}

async function aTask(host: TestHost): Promise<TaskAssignment> {
  const [task] = (await host.ask(1, 4096, 200)).tasks;
  if (!task) throw new Error('no task');
  return task;
}

interface Answer {
  readonly status: number;
  readonly problem: Partial<Problem>;
}

async function call(method: string, path: string, init: CallInit): Promise<Answer> {
  const response = await fetch(new URL(path, app.url), {
    method,
    headers: {
      ...(init.token === undefined ? {} : { authorization: `Bearer ${init.token}` }),
      'content-type': init.type ?? 'application/json',
    },
    body: init.body,
  });
  const text = await response.text();
  return { status: response.status, problem: text === '' ? {} : (JSON.parse(text) as Problem) };
}

interface CallInit {
  readonly token?: string;
  readonly type?: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Says what the output is and keeps it back. */
function withheld({ taskId }: TaskAssignment): ResultReport {
  const output = { name: 'stdout', size: OUTPUT.length, sha256: sha256(OUTPUT) };
  const result = { outcome: 'ok' as const, exitCode: 0, cycles: '5000', outputs: [output] };
  return { ...result, taskId, digest: sha256(resultDigestText(result)), runtimeVersion: RUNTIME };
}

describe('an output that is handed in later', () => {
  let asked: { readonly host: TestHost; readonly path: string };
  let agreeing: { readonly host: TestHost; readonly path: string };
  let token: string;
  beforeAll(async () => {
    const unitId = await aJob();
    const hosts = [await aHost(), await aHost()];
    const tasks: TaskAssignment[] = [];
    for (const host of hosts) {
      const task = await aTask(host);
      await host.report(withheld(task));
      tasks.push(task);
    }
    const ordinal = async (): Promise<number | null> => {
      const rows: Array<{ canonical_ordinal: number | null }> = await app.dataSource.query(
        "SELECT canonical_ordinal FROM work_unit WHERE id = $1 AND state = 'awaiting-output'",
        [unitId],
      );
      return rows[0]?.canonical_ordinal ?? null;
    };
    await vi.waitFor(async () => expect(await ordinal()).not.toBeNull(), { timeout: 25_000, interval: 100 });
    const canonical = `${unitId}.${await ordinal()}`;
    const of = (isAsked: boolean) => {
      const at = tasks.findIndex(({ taskId }) => (taskId === canonical) === isAsked);
      return { host: hosts[at]!, path: `/v1/tasks/${tasks[at]!.taskId}/outputs/stdout` };
    };
    [asked, agreeing] = [of(true), of(false)];
    token = asked.host.attached.secret;
  });

  const put = (
    path: string,
    { token, type = BYTES, body = OUTPUT }: { token?: string; type?: string; body?: Buffer } = {},
  ): Promise<Answer> =>
    call('PUT', path, { ...(token === undefined ? {} : { token }), type, body: new Uint8Array(body) });

  it('is taken only from its own host, which has to say who it is', async () => {
    expect(await put(asked.path)).toMatchObject({ status: 401 });
    expect(await put(asked.path, { token: 'gln_nobody' })).toMatchObject({ status: 401 });
    expect(await put(asked.path, { token: scientist.token })).toMatchObject({
      status: 403,
      problem: { code: 'forbidden' },
    });
    expect(await put(asked.path, { token: agreeing.host.attached.secret })).toMatchObject({
      status: 404,
      problem: { code: 'not-found' },
    });
  });

  it('is one that its task reported', async () => {
    const other = asked.path.replace(/stdout$/, 'peaks');
    expect(await put(other, { token })).toMatchObject({ status: 404 });
    expect(await put(asked.path.replace(/\d+\.\d+/, '9007199254740.0'), { token })).toMatchObject({
      status: 404,
    });
    expect(await put(asked.path.replace(/\d+\.\d+/, 'first'), { token })).toMatchObject({
      status: 400,
      problem: { errors: [{ pointer: '/taskId' }] },
    });
  });

  it('is refused from a host that is not asked for it', async () => {
    expect(await put(agreeing.path, { token: agreeing.host.attached.secret })).toMatchObject({
      status: 409,
      problem: { code: 'wrong-state' },
    });
  });

  it('is refused in another type, too long, too short or altered, and nothing of it stays', async () => {
    expect(await put(asked.path, { token, type: 'text/plain' })).toMatchObject({ status: 415 });
    expect(await put(asked.path, { token, type: 'application/json', body: Buffer.from('{}') })).toMatchObject(
      {
        status: 415,
      },
    );
    const longer = Buffer.concat([OUTPUT, Buffer.from('.')]);
    expect(await put(asked.path, { token, body: longer })).toMatchObject({
      status: 413,
      problem: { code: 'too-large' },
    });
    for (const body of [OUTPUT.subarray(1), Buffer.alloc(OUTPUT.length, 'x')]) {
      expect(await put(asked.path, { token, body })).toMatchObject({
        status: 400,
        problem: { code: 'bad-digest' },
      });
    }
    expect(await app.dataSource.query("SELECT FROM blob_reference WHERE owner_kind = 'task'")).toEqual([]);
  });

  it('may be handed in twice', async () => {
    expect(await put(asked.path, { token })).toMatchObject({ status: 204 });
    expect(await put(asked.path, { token })).toMatchObject({ status: 204 });
  });
});

describe('a heartbeat', () => {
  const beat = (body: unknown, token?: string): Promise<Answer> =>
    call('POST', '/v1/heartbeat', {
      ...(token === undefined ? {} : { token }),
      body: JSON.stringify(body),
    });

  it('comes from an attached host', async () => {
    expect(await beat({ running: [] })).toMatchObject({ status: 401 });
    expect(await beat({ running: [] }, scientist.token)).toMatchObject({
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
    const host = await aHost();
    const { status, problem } = await beat(body, host.attached.secret);
    expect([status, new Set(problem.errors?.map((error) => error.pointer))]).toEqual([
      400,
      new Set([pointer]),
    ]);
  });

  it('about the task of another host changes nothing for that one, and is told to stop', async () => {
    await aJob();
    const [owner, stranger] = [await aHost(), await aHost()];
    const { taskId } = await aTask(owner);
    const returned = { running: [{ taskId }], returned: [taskId] };
    expect(await stranger.post('/v1/heartbeat', returned)).toMatchObject({
      tasks: [{ taskId, action: 'abort', reason: 'this host has no such task' }],
    });
    expect(await owner.post('/v1/heartbeat', { running: [{ taskId }] })).toMatchObject({
      tasks: [{ taskId, action: 'keep' }],
    });
  });

  it('may return a task twice, also after it was reported', async () => {
    const unitId = await aJob(2);
    const host = await aHost();
    const [first, second] = [await aTask(host), await aTask(host)];
    const back = { running: [], returned: [first.taskId] };
    for (let times = 0; times < 2; times += 1) {
      expect(await host.post('/v1/heartbeat', back)).toMatchObject({ tasks: [] });
    }
    const { reports } = await host.report(honestResult(second));
    expect(reports).toMatchObject([{ status: 'accepted' }]);
    await host.post('/v1/heartbeat', { running: [], returned: [second.taskId] });
    const rows: Array<{ state: string }> = await app.dataSource.query(
      'SELECT state FROM task WHERE unit_id BETWEEN $1 AND $1 + 1 AND host_id = $2 ORDER BY assigned_at',
      [unitId, host.attached.hostId],
    );
    expect(rows.map(({ state }) => state)).toEqual(['aborted', 'reported']);
  });
});

describe('a request for work', () => {
  const work = (host: TestHost, body: object): Promise<Answer> =>
    call('POST', '/v1/work', {
      token: host.attached.secret,
      body: JSON.stringify({ protocol: 1, runtimeVersions: [RUNTIME], ...body }),
    });

  it.each([
    ['more tasks than one call gives', { request: { maxTasks: 65, memoryMiB: 1 } }, '/request/maxTasks'],
    ['no sandbox', { runtimeVersions: [] }, '/runtimeVersions'],
    ['more held tasks than a host may have', { holding: Array(1025).fill('1.0') }, '/holding'],
  ])('with %s is refused with its place', async (_what, body, pointer) => {
    const { status, problem } = await work(await aHost(), body);
    expect([status, problem.errors?.map((error) => error.pointer)]).toEqual([400, [pointer]]);
  });

  it('with more reports than one call takes is refused, and none of them is stored', async () => {
    const unitId = await aJob();
    const host = await aHost();
    const task = await aTask(host);
    const reports = Array.from({ length: LIMITS.tasksPerCall + 1 }, () => honestResult(task));
    const { status, problem } = await work(host, { reports });
    expect([status, problem.errors?.map((error) => error.pointer)]).toEqual([400, ['/reports']]);
    expect(await app.dataSource.query('SELECT state FROM task WHERE unit_id = $1', [unitId])).toEqual([
      { state: 'in-progress' },
    ]);
  });

  it('may report one result twice in a call', async () => {
    await aJob();
    const host = await aHost();
    const result = honestResult(await aTask(host));
    const { reports } = await host.report(result, result);
    expect(reports.map(({ status }) => status)).toEqual(['accepted', 'repeat']);
  });
});

describe('holding a host', () => {
  const hold = (hostId: string, body: unknown, token = app.operatorToken): Promise<Answer> =>
    call('PUT', `/v1/hosts/${hostId}/hold`, { token, body: JSON.stringify(body) });

  it('is the operator’s to do, for a host that exists, with a reason', async () => {
    const { hostId, secret } = (await aHost()).attached;
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
    expect(await call('PUT', `/v1/hosts/${hostId}/hold`, { body: '{"reason":"x"}' })).toMatchObject({
      status: 401,
    });
  });
});
