import { createHash, randomUUID } from 'node:crypto';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { STREAMS_PER_ACCOUNT } from '@gleaner/coordinator';
import {
  job as jobSchema,
  jobEstimate,
  jobPage,
  LIMITS,
  problem,
  UNIT_STATES,
  unitResultPage,
  type Job,
  type JobSpecInput,
} from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import { anApprovedApp, anInput, type Science } from '../e2e/volunteering/science.js';
import {
  aPerson,
  createTestApplication,
  operatorOf,
  type TestApplication,
  type TestClient,
} from '../support/index.js';

let gleaner: TestApplication;
let science: Science;
beforeAll(async () => {
  gleaner = await createTestApplication();
  science = await anApprovedApp(gleaner, 'hello', helloModule('hello\n').original);
});
afterAll(() => gleaner.close());

function aSpec(overrides: Partial<JobSpecInput> = {}): JobSpecInput {
  return {
    name: 'a job',
    app: science.app,
    split: [{ kind: 'range', name: 'n', from: 0, to: 10, step: 1 }],
    args: ['{n.from}'],
    ...overrides,
  };
}

async function submit(
  overrides: Partial<JobSpecInput> = {},
  client: TestClient = science.scientist,
): Promise<Job> {
  const response = await client
    .post('/v1/jobs', { project: science.project, spec: aSpec(overrides) })
    .expect(202);
  return jobSchema.parse(response.body);
}

async function untilState(id: string, state: Job['state']): Promise<Job> {
  return await vi.waitFor(
    async () => {
      const found = jobSchema.parse((await science.scientist.get(`/v1/jobs/${id}`).expect(200)).body);
      expect(found.state).toBe(state);
      return found;
    },
    { timeout: 20_000, interval: 50 },
  );
}

/** Its units for which the filler has not made a ticket yet. */
async function unticketed(id: string): Promise<number> {
  const [row]: Array<{ units: number }> = await gleaner.dataSource.query(
    'SELECT count(*)::int AS units FROM work_unit WHERE job_id = $1 AND ticketed_at IS NULL',
    [id],
  );
  return row?.units ?? 0;
}

function variables(count: number, length: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`v${n}`, 'x'.repeat(length)]));
}

async function refusal(overrides: Partial<JobSpecInput>): Promise<string[]> {
  const response = await science.scientist
    .post('/v1/jobs', { project: science.project, spec: aSpec(overrides) })
    .expect(422);
  const document = problem.parse(response.body);
  expect(document.code).toBe('job-refused');
  return document.errors?.map(({ pointer }) => pointer) ?? [];
}

describe('submitting a job', () => {
  it('answers 202 with its address, and the job is split into units', async () => {
    const response = await science.scientist
      .post('/v1/jobs', { project: science.project, spec: aSpec() })
      .expect(202);
    const submitted = jobSchema.parse(response.body);
    expect(response.headers['location']).toBe(`/v1/jobs/${submitted.id}`);
    const running = await untilState(submitted.id, 'running');
    expect(running).toMatchObject({ units: { total: 10, open: 10, valid: 0 }, progressPermille: 0 });
    expect(running.spec.replication).toEqual({ quorum: 2, maxErrors: 6, maxTasks: 10, distinct: 'account' });
  });

  it('with the same Idempotency-Key gives the same job, at the same moment too; another request conflicts', async () => {
    const key = randomUUID();
    const send = (name: string) =>
      science.scientist
        .post('/v1/jobs', { project: science.project, spec: aSpec({ name }) })
        .set('idempotency-key', key);
    const answers = await Promise.all([send('one'), send('one'), send('one')]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ body }) => jobSchema.parse(body).id)).size).toBe(1);
    const other = await send('two').expect(409);
    expect(other.body).toMatchObject({
      code: 'idempotency-conflict',
      errors: [{ pointer: '/idempotency-key' }],
    });
    await science.scientist
      .post('/v1/jobs', { project: science.project, spec: aSpec() })
      .set('idempotency-key', 'k'.repeat(201))
      .expect(400);
  });

  it('with the Idempotency-Key of a deleted job is neither that job again nor a new one', async () => {
    const key = randomUUID();
    const body = { project: science.project, spec: aSpec() };
    const first = await science.scientist.post('/v1/jobs', body).set('idempotency-key', key).expect(202);
    await science.scientist.delete(`/v1/jobs/${jobSchema.parse(first.body).id}`).expect(204);
    const again = await science.scientist.post('/v1/jobs', body).set('idempotency-key', key).expect(409);
    expect(again.body).toMatchObject({ code: 'idempotency-conflict' });
  });

  it('is refused with a pointer for each reason', async () => {
    expect(await refusal({ app: 'hello@9' })).toEqual(['/spec/app']);
    expect(await refusal({ inputs: { tape: `sha256:${'0'.repeat(64)}` } })).toEqual(['/spec/inputs/tape']);
    expect(await refusal({ args: ['{n.form}', '{m.from}'] })).toEqual(['/spec/args/0', '/spec/args/1']);
    expect(await refusal({ replication: { distinct: 'host' } })).toEqual(['/spec/replication/distinct']);
    expect(await refusal({ split: [{ kind: 'range', name: 'n', from: 5, to: 5, step: 1 }] })).toEqual([
      '/spec/split',
    ]);
    expect(
      await refusal({ split: [{ kind: 'bytes', name: 'n', input: 'tape', windowBytes: 10 }], args: [] }),
    ).toEqual(['/spec/split/0/input']);
  });

  it('is refused where the input belongs to somebody else', async () => {
    const other = await anApprovedApp(gleaner, 'others-app', helloModule('x').original);
    const theirs = await anInput(other, Buffer.from('secret'));
    expect(await refusal({ inputs: { tape: theirs } })).toEqual(['/spec/inputs/tape']);
    const mine = await anInput(science, Buffer.from('a,b'));
    expect((await submit({ inputs: { tape: mine } })).spec.inputs).toEqual({ tape: mine });
  });

  it('is refused where its records split finds no record', async () => {
    const empty = await anInput(science, Buffer.alloc(0));
    expect(
      await refusal({
        inputs: { lines: empty },
        split: [{ kind: 'records', name: 'n', input: 'lines', delimiter: '\n', records: 1 }],
        args: [],
      }),
    ).toEqual(['/spec/split']);
  });

  it.each([
    ['no JSON', '{"project": ', 'malformed-json', undefined],
    [
      'too many variables',
      { spec: { ...aSpecShape(), env: variables(LIMITS.envPerJob + 1, 1) } },
      'invalid-request',
      '/spec/env',
    ],
    [
      'variables that are too long together',
      { spec: { ...aSpecShape(), env: variables(16, LIMITS.argsLength / 16 + 1) } },
      'invalid-request',
      '/spec/env',
    ],
    [
      'arguments that are too long together',
      { spec: { ...aSpecShape(), args: Array(16).fill('x'.repeat(LIMITS.argsLength / 16 + 1)) } },
      'invalid-request',
      '/spec/args',
    ],
    ['an unknown field', { spec: { ...aSpecShape(), shiny: 1 } }, 'invalid-request', '/spec/shiny'],
    [
      'a later split kind',
      { spec: { ...aSpecShape(), split: [{ kind: 'files' }] } },
      'invalid-request',
      '/spec/split/0/kind',
    ],
    [
      'a later merge kind',
      { spec: { ...aSpecShape(), merge: { kind: 'app' } } },
      'invalid-request',
      '/spec/merge/kind',
    ],
    ['a wrong number', { spec: { ...aSpecShape(), share: 0.5 } }, 'invalid-request', '/spec/share'],
    [
      'a malformed deadline',
      { spec: { ...aSpecShape(), taskDeadline: '6 hours' } },
      'invalid-request',
      '/spec/taskDeadline',
    ],
    [
      'a NUL character in an argument',
      { spec: { ...aSpecShape(), args: ['a', 'b\0'] } },
      'invalid-request',
      '/spec/args/1',
    ],
    [
      'half of a surrogate pair in its name',
      { spec: { ...aSpecShape(), name: 'half \ud83d' } },
      'invalid-request',
      '/spec/name',
    ],
    [
      'cycles as a number',
      { spec: { ...aSpecShape(), limits: { maxCycles: 5 } } },
      'invalid-request',
      '/spec/limits/maxCycles',
    ],
  ])('is refused with %s', async (_what, body, code, pointer) => {
    const response = await science.scientist
      .post('/v1/jobs')
      .set('content-type', 'application/json')
      .send(typeof body === 'string' ? body : JSON.stringify({ project: science.project, ...body }))
      .expect(400);
    const document = problem.parse(response.body);
    expect(document.code).toBe(code);
    if (pointer !== undefined) expect(document.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it('needs a scientist of the project with the scope "submit"', async () => {
    const body = { project: science.project, spec: aSpec() };
    await gleaner.http.post('/v1/jobs').send(body).expect(401);
    const stranger = await aPerson(gleaner);
    await stranger.post('/v1/jobs', body).expect(403);
    const worker = await aPerson(gleaner, { scopes: ['work'] });
    await worker.post('/v1/jobs', body).expect(403);
    await science.scientist.post('/v1/jobs', { ...body, project: 'no-such-project' }).expect(404);
  });
});

describe('a job', () => {
  it('is estimated without being submitted', async () => {
    const input = await anInput(science, Buffer.from('one\ntwo\nthree\n'));
    const response = await science.scientist
      .post('/v1/jobs/estimate', {
        project: science.project,
        spec: aSpec({
          inputs: { lines: input },
          split: [
            { kind: 'records', name: 'r', input: 'lines', delimiter: '\n', records: 2 },
            { kind: 'grid', name: 'g', lists: { a: [1, 2, 3] } },
          ],
          args: ['{g.a}'],
          limits: { maxCycles: '1000' },
        }),
      })
      .expect(200);
    expect(jobEstimate.parse(response.body)).toMatchObject({
      units: 6,
      tasksAtLeast: 12,
      inputBytes: 14,
      maxCycles: '12000',
      meanCyclesPerUnit: null,
    });
  });

  it('is estimated with a warning where nobody will confirm its results, so that nobody earns by them', async () => {
    const spec = aSpec({ replication: { quorum: 1 } });
    const warningsFor = async (client: TestClient): Promise<string[]> => {
      const response = await client.post('/v1/jobs/estimate', { project: science.project, spec });
      return jobEstimate.parse(response.body).warnings;
    };
    const warning = expect.stringMatching(/quorum 1 .* no credit/) as string;
    expect(await warningsFor(science.scientist)).toContainEqual(warning);
    expect(await warningsFor(operatorOf(gleaner))).not.toContainEqual(warning);
  });

  it('is seen by its submitter and by operators, newest first', async () => {
    const [older, newer] = [await submit({ name: 'older' }), await submit({ name: 'newer' })];
    const page = jobPage.parse((await science.scientist.get('/v1/jobs?limit=2').expect(200)).body);
    expect(page.items.map(({ id }) => id)).toEqual([newer.id, older.id]);
    await operatorOf(gleaner).get(`/v1/jobs/${older.id}`).expect(200);
    const stranger = await aPerson(gleaner);
    await stranger.get(`/v1/jobs/${older.id}`).expect(404);
    await stranger.post(`/v1/jobs/${older.id}/cancel`).expect(404);
    await stranger.delete(`/v1/jobs/${older.id}`).expect(404);
    expect(jobPage.parse((await stranger.get('/v1/jobs')).body).items).toEqual([]);
    await science.scientist.get('/v1/jobs/not-a-number').expect(400);
    await science.scientist.get('/v1/jobs/999999999').expect(404);
  });

  it('pauses, resumes and is cancelled, each as often as one likes', async () => {
    const { id } = await submit();
    await untilState(id, 'running');
    for (const [action, state] of [
      ['pause', 'paused'],
      ['pause', 'paused'],
      ['resume', 'running'],
      ['resume', 'running'],
      ['cancel', 'cancelled'],
      ['cancel', 'cancelled'],
    ] as const) {
      const answer = await science.scientist.post(`/v1/jobs/${id}/${action}`).expect(200);
      expect(jobSchema.parse(answer.body).state).toBe(state);
    }
    const late = await science.scientist.post(`/v1/jobs/${id}/resume`).expect(409);
    expect(late.body).toMatchObject({ code: 'wrong-state' });
    await vi.waitFor(
      async () => {
        const { units } = jobSchema.parse((await science.scientist.get(`/v1/jobs/${id}`)).body);
        expect(units).toMatchObject({ open: 0, cancelled: 10 });
      },
      { timeout: 20_000, interval: 100 },
    );
  });

  it('says what most of its blocked units wait for', async () => {
    const { id } = await submit();
    await untilState(id, 'running');
    await expect.poll(() => unticketed(id)).toBe(0);
    await gleaner.dataSource.query(
      `UPDATE work_unit SET ticketed_at = now(), blocked = CASE WHEN index_in_job = 0 THEN 'one thing' ELSE 'another' END
        WHERE job_id = $1 AND index_in_job < 3`,
      [id],
    );
    const found = jobSchema.parse((await science.scientist.get(`/v1/jobs/${id}`).expect(200)).body);
    expect(found).toMatchObject({ units: { blocked: 3 }, blockedReason: 'another' });
    const list = jobPage.parse((await science.scientist.get('/v1/jobs?limit=1').expect(200)).body);
    expect(list.items[0]?.blockedReason).toBe('another');
  });

  it('has no output before it is completed, and keeps its units’ results to itself while it runs', async () => {
    const { id } = await submit();
    await untilState(id, 'running');
    const early = await science.scientist.get(`/v1/jobs/${id}/output`).expect(409);
    expect(problem.parse(early.body).detail).toContain('running');
    const first = await science.scientist.get(`/v1/jobs/${id}/results?limit=4`).expect(200);
    const page = unitResultPage.parse(first.body);
    expect(page.items.map(({ index, params }) => [index, params])).toEqual(
      [0, 1, 2, 3].map((n) => [n, { n: { from: n, to: n + 1, index: n } }]),
    );
    const rest = unitResultPage.parse(
      (await science.scientist.get(`/v1/jobs/${id}/results?cursor=${page.nextCursor ?? ''}`).expect(200))
        .body,
    );
    expect(rest.items).toHaveLength(6);
    await science.scientist.get(`/v1/jobs/${id}/results?state=lost`).expect(400);
    for (const state of UNIT_STATES) {
      const of = await science.scientist.get(`/v1/jobs/${id}/results?state=${state}`).expect(200);
      expect(unitResultPage.parse(of.body).items, state).toHaveLength(state === 'open' ? 10 : 0);
    }
  });

  it('is forgotten when deleted, running or not, and its inputs are no longer referenced', async () => {
    const input = await anInput(science, Buffer.from(randomUUID()));
    const { id } = await submit({ inputs: { tape: input } });
    await untilState(id, 'running');
    await science.scientist.delete(`/v1/jobs/${id}`).expect(204);
    await science.scientist.get(`/v1/jobs/${id}`).expect(404);
    await science.scientist.delete(`/v1/jobs/${id}`).expect(404);
    await vi.waitFor(
      async () => {
        const described = await science.scientist.get(`/v1/blobs/${input}`).expect(200);
        expect(described.body).toMatchObject({ references: 0 });
      },
      { timeout: 20_000, interval: 100 },
    );
  });

  it('is followed by one account only so many times at once, and again when one has left', async () => {
    const { id } = await submit();
    await untilState(id, 'running');
    const path = `/v1/jobs/${id}/events`;
    const follow = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${science.scientist.token}` };
        httpGet(`${gleaner.url}${path}`, { headers }, resolve).on('error', reject);
      });
    const followers = await Promise.all(Array.from({ length: STREAMS_PER_ACCOUNT }, follow));
    expect(followers.map(({ statusCode }) => statusCode)).toEqual(followers.map(() => 200));
    const refused = await science.scientist.get(path).expect(429);
    expect(problem.parse(refused.body).detail).toMatch(/32 streams.*close one/);
    expect(refused.headers['retry-after']).toBe('30');
    const closed = await vi.waitFor(
      async () => {
        followers.shift()?.destroy();
        const again = await follow();
        followers.push(again);
        expect(again.statusCode).toBe(200);
        return again;
      },
      { timeout: 20_000, interval: 200 },
    );
    expect(closed.headers['content-type']).toContain('text/event-stream');
    for (const follower of followers) follower.destroy();
  });

  it('tells its progress as events, and what a client has seen not again', async () => {
    const { id } = await submit();
    const seen = await untilState(id, 'running');
    const stream = await openEvents(id);
    const first = await stream.next('job');
    const told = jobSchema.parse(JSON.parse(first.data));
    expect([told.id, told.state, told.units.total]).toEqual([id, 'running', seen.units.total]);
    await science.scientist.post(`/v1/jobs/${id}/cancel`).expect(200);
    const ended = await stream.next('end');
    expect(ended.data).toBe('{"state":"cancelled"}');
    await vi.waitFor(
      async () => {
        const found = jobSchema.parse((await science.scientist.get(`/v1/jobs/${id}`)).body);
        expect(found.units.cancelled).toBe(10);
      },
      { timeout: 20_000, interval: 100 },
    );
    const again = await openEvents(id);
    const { id: eventId } = await again.next('job');
    const resumed = await openEvents(id, eventId);
    expect((await resumed.next()).event).toBe('end');
  });
});

interface ServerSentEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** The events of a job; `next` skips those of other kinds. */
async function openEvents(
  jobId: string,
  lastEventId?: string,
): Promise<{ next(kind?: string): Promise<ServerSentEvent> }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpGet(
      `${gleaner.url}/v1/jobs/${jobId}/events`,
      {
        headers: {
          authorization: `Bearer ${science.scientist.token}`,
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
      },
      resolve,
    ).on('error', reject);
  });
  expect(response.headers['content-type']).toContain('text/event-stream');
  response.setEncoding('utf8');
  const parts = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  let text = '';
  const readOne = async (): Promise<ServerSentEvent> => {
    for (let end = text.indexOf('\n\n'); end < 0; end = text.indexOf('\n\n')) {
      const part = await parts.next();
      if (part.done) throw new Error('the stream ended');
      text += part.value;
    }
    const end = text.indexOf('\n\n');
    const lines = text.slice(0, end).split('\n');
    text = text.slice(end + 2);
    const field = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    return { id: field('id'), event: field('event'), data: field('data') ?? '' };
  };
  return {
    next: async (kind) => {
      for (;;) {
        const event = await readOne();
        // A block without data, such as the one that says when to reconnect, is no event.
        if (event.data !== '' && (kind === undefined || event.event === kind)) return event;
      }
    },
  };
}

/** A sound job file to be spoilt; the app's name only has to have the right form. */
function aSpecShape(): JobSpecInput {
  return {
    name: 'spoilt',
    app: `hello@${createHash('sha256').update('x').digest('hex').slice(0, 4)}`,
    split: [{ kind: 'range', name: 'n', from: 0, to: 10, step: 1 }],
  };
}
