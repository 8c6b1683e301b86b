import { randomUUID } from 'node:crypto';
import { JobInputs } from '@gleaner/coordinator';
import { job as jobSchema, jobEstimate, LIMITS, problem, type JobSpecInput } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import { anApprovedApp, anInput } from '../e2e/volunteering/science.js';
import { aPerson, operatorOf, type TestClient } from '../support/index.js';
import { ScientistDesk } from './scientist-desk.js';

let desk: ScientistDesk;
beforeAll(async () => {
  desk = await ScientistDesk.open();
});
afterAll(() => desk.close());

/** A sound job file to be spoilt; the app's name only has to have the right form. */
const A_SOUND_ONE: JobSpecInput = {
  name: 'spoilt',
  app: 'hello@1',
  split: [{ kind: 'range', name: 'n', from: 0, to: 10, step: 1 }],
};

function variables(count: number, length: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`v${n}`, 'x'.repeat(length)]));
}

async function refusal(overrides: Partial<JobSpecInput>): Promise<string[]> {
  const response = await desk.science.scientist
    .post('/v1/jobs', { project: desk.science.project, spec: desk.aSpec(overrides) })
    .expect(422);
  const document = problem.parse(response.body);
  expect(document.code).toBe('job-refused');
  return document.errors?.map(({ pointer }) => pointer) ?? [];
}

describe('submitting a job', () => {
  it('answers 202 with its address, and the job is split into units', async () => {
    const response = await desk.science.scientist
      .post('/v1/jobs', { project: desk.science.project, spec: desk.aSpec() })
      .expect(202);
    const submitted = jobSchema.parse(response.body);
    expect(response.headers['location']).toBe(`/v1/jobs/${submitted.id}`);
    const running = await desk.untilState(submitted.id, 'running');
    expect(running).toMatchObject({ units: { total: 10, open: 10, valid: 0 }, progressPermille: 0 });
    expect(running.spec.replication).toEqual({ quorum: 2, maxErrors: 6, maxTasks: 10, distinct: 'account' });
  });

  it('with the same Idempotency-Key gives the same job, at the same moment too; another request conflicts', async () => {
    const key = randomUUID();
    const send = (name: string) =>
      desk.science.scientist
        .post('/v1/jobs', { project: desk.science.project, spec: desk.aSpec({ name }) })
        .set('idempotency-key', key);
    const answers = await Promise.all([send('one'), send('one'), send('one')]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ body }) => jobSchema.parse(body).id)).size).toBe(1);
    const other = await send('two').expect(409);
    expect(other.body).toMatchObject({
      code: 'idempotency-conflict',
      errors: [{ pointer: '/idempotency-key' }],
    });
    await desk.science.scientist
      .post('/v1/jobs', { project: desk.science.project, spec: desk.aSpec() })
      .set('idempotency-key', 'k'.repeat(201))
      .expect(400);
  });

  it('with the Idempotency-Key of a deleted job is neither that job again nor a new one', async () => {
    const key = randomUUID();
    const body = { project: desk.science.project, spec: desk.aSpec() };
    const first = await desk.science.scientist.post('/v1/jobs', body).set('idempotency-key', key).expect(202);
    await desk.science.scientist.delete(`/v1/jobs/${jobSchema.parse(first.body).id}`).expect(204);
    const again = await desk.science.scientist.post('/v1/jobs', body).set('idempotency-key', key).expect(409);
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
    const other = await anApprovedApp(desk.gleaner, 'others-app', helloModule('x').original);
    const theirs = await anInput(other, Buffer.from('secret'));
    expect(await refusal({ inputs: { tape: theirs } })).toEqual(['/spec/inputs/tape']);
    const mine = await anInput(desk.science, Buffer.from('a,b'));
    expect((await desk.submit({ inputs: { tape: mine } })).spec.inputs).toEqual({ tape: mine });
  });

  it('is refused where an input is given back while it is looked at', async () => {
    const input = await anInput(desk.science, Buffer.from('given back'));
    const inputs = desk.gleaner.app.get(JobInputs);
    const open = inputs.open.bind(inputs);
    vi.spyOn(inputs, 'open').mockImplementationOnce(async (named) => {
      await desk.science.scientist.delete(`/v1/blobs/${input}`).expect(200);
      return await open(named);
    });
    expect(await refusal({ inputs: { data: input } })).toEqual(['/spec/inputs/data']);
  });

  it('is refused where its app lacks the export that starts it, which publishing it says already', async () => {
    const { project, scientist } = desk.science;
    // A page of memory, exported, and nothing to call.
    const noStart = Buffer.from('0061736d010000000503010001070a01066d656d6f72790200', 'hex');
    const published = await scientist
      .post(`/v1/apps?project=${project}&name=startless&version=1`)
      .set('content-type', 'application/wasm')
      .send(noStart)
      .expect(422);
    expect(problem.parse(published.body).errors).toMatchObject([
      {
        rule: 'missing-entry',
        detail: expect.stringContaining('neither the function _start nor gleaner_step') as string,
      },
    ]);
    const submitted = await scientist
      .post('/v1/jobs', { project, spec: desk.aSpec({ app: 'startless@1' }) })
      .expect(422);
    expect(problem.parse(submitted.body)).toMatchObject({
      code: 'job-refused',
      errors: [
        {
          pointer: '/spec/app',
          detail: `startless@1 is no app version of the project "${project}": publish it first, or name one that it has`,
        },
      ],
    });
  });

  it('is refused where its records split finds no record', async () => {
    const empty = await anInput(desk.science, Buffer.alloc(0));
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
      { spec: { ...A_SOUND_ONE, env: variables(LIMITS.envPerJob + 1, 1) } },
      'invalid-request',
      '/spec/env',
    ],
    [
      'variables that are too long together',
      { spec: { ...A_SOUND_ONE, env: variables(16, LIMITS.argsLength / 16 + 1) } },
      'invalid-request',
      '/spec/env',
    ],
    [
      'arguments that are too long together',
      { spec: { ...A_SOUND_ONE, args: Array(16).fill('x'.repeat(LIMITS.argsLength / 16 + 1)) } },
      'invalid-request',
      '/spec/args',
    ],
    ['an unknown field', { spec: { ...A_SOUND_ONE, shiny: 1 } }, 'invalid-request', '/spec/shiny'],
    [
      'a later split kind',
      { spec: { ...A_SOUND_ONE, split: [{ kind: 'files' }] } },
      'invalid-request',
      '/spec/split/0/kind',
    ],
    [
      'a later merge kind',
      { spec: { ...A_SOUND_ONE, merge: { kind: 'app' } } },
      'invalid-request',
      '/spec/merge/kind',
    ],
    ['a wrong number', { spec: { ...A_SOUND_ONE, share: 0.5 } }, 'invalid-request', '/spec/share'],
    [
      'a malformed deadline',
      { spec: { ...A_SOUND_ONE, taskDeadline: '6 hours' } },
      'invalid-request',
      '/spec/taskDeadline',
    ],
    [
      'a NUL character in an argument',
      { spec: { ...A_SOUND_ONE, args: ['a', 'b\0'] } },
      'invalid-request',
      '/spec/args/1',
    ],
    [
      'half of a surrogate pair in its name',
      { spec: { ...A_SOUND_ONE, name: 'half \ud83d' } },
      'invalid-request',
      '/spec/name',
    ],
    [
      'cycles as a number',
      { spec: { ...A_SOUND_ONE, limits: { maxCycles: 5 } } },
      'invalid-request',
      '/spec/limits/maxCycles',
    ],
  ])('is refused with %s', async (_what, body, code, pointer) => {
    const response = await desk.science.scientist
      .post('/v1/jobs')
      .set('content-type', 'application/json')
      .send(typeof body === 'string' ? body : JSON.stringify({ project: desk.science.project, ...body }))
      .expect(400);
    const document = problem.parse(response.body);
    expect(document.code).toBe(code);
    if (pointer !== undefined) expect(document.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it('needs a scientist of the project with the scope "submit"', async () => {
    const body = { project: desk.science.project, spec: desk.aSpec() };
    await desk.gleaner.http.post('/v1/jobs').send(body).expect(401);
    const stranger = await aPerson(desk.gleaner);
    const refused = await stranger.post('/v1/jobs', body).expect(403);
    expect(problem.parse(refused.body).detail).toMatch(
      new RegExp(`an operator can add your account, ${stranger.account.id}, to them\\.$`),
    );
    const worker = await aPerson(desk.gleaner, { scopes: ['work'] });
    await worker.post('/v1/jobs', body).expect(403);
    await desk.science.scientist.post('/v1/jobs', { ...body, project: 'no-such-project' }).expect(404);
  });
});

describe('an estimate', () => {
  it('says what a job would take without submitting it', async () => {
    const input = await anInput(desk.science, Buffer.from('one\ntwo\nthree\n'));
    const response = await desk.science.scientist
      .post('/v1/jobs/estimate', {
        project: desk.science.project,
        spec: desk.aSpec({
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

  it('of a large input in whose beginning no record ends is a guess, and asks for the delimiter', async () => {
    const tape = await anInput(desk.science, Buffer.alloc(5_000_000, 'line\r'));
    const split: JobSpecInput['split'] = [
      { kind: 'records', name: 'r', input: 'tape', delimiter: '\n', maxBytes: 1000 },
    ];
    const spec = desk.aSpec({ inputs: { tape }, split, args: [] });
    const response = await desk.science.scientist
      .post('/v1/jobs/estimate', { project: desk.science.project, spec })
      .expect(200);
    expect(jobEstimate.parse(response.body).warnings).toContain(
      'The number of units is a guess: no record ends in the beginning of "tape". Is the delimiter of its split the right one?',
    );
  });

  it('warns where nobody will confirm the results, so that nobody earns by them', async () => {
    const spec = desk.aSpec({ replication: { quorum: 1 } });
    const warningsFor = async (client: TestClient): Promise<string[]> => {
      const response = await client.post('/v1/jobs/estimate', { project: desk.science.project, spec });
      return jobEstimate.parse(response.body).warnings;
    };
    const warning = expect.stringMatching(/quorum 1 .* no credit/) as string;
    expect(await warningsFor(desk.science.scientist)).toContainEqual(warning);
    expect(await warningsFor(operatorOf(desk.gleaner))).not.toContainEqual(warning);
  });
});
