import { BlobsService } from '@gleaner/coordinator';
import type { Problem, TaskAssignment } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DispatchFixture, resultWith, type SeededJob, type TestHost } from '../support/index.js';
import { call } from './raw-calls.js';

/** Too many bytes to come along with the report. */
const OUTPUT = Buffer.alloc(100_000, 'o');

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

interface Agreement {
  readonly job: SeededJob;
  readonly hosts: readonly TestHost[];
  readonly tasks: readonly TaskAssignment[];
}

/** Two hosts say what the output of a unit is, and keep it back. */
async function agree(on?: SeededJob): Promise<Agreement> {
  const job = on ?? (await dispatch.aJob());
  const hosts = [await dispatch.aHost(), await dispatch.aHost()];
  const tasks: TaskAssignment[] = [];
  for (const host of hosts) {
    const task = await dispatch.aTask(host);
    await host.report(resultWith(task, OUTPUT, { withheld: true }));
    tasks.push(task);
  }
  await dispatch.becomes(job, 'awaiting-output');
  return { job, hosts, tasks };
}

/** The ordinal of the task whose host is asked. */
async function askedOrdinal({ job }: Agreement): Promise<number> {
  const [unit] = await dispatch.query<{ canonical_ordinal: number | null }>(
    'SELECT canonical_ordinal FROM work_unit WHERE id = $1',
    [job.firstUnitId],
  );
  return unit?.canonical_ordinal ?? -1;
}

function put(
  path: string,
  { token, type = 'application/octet-stream', body = OUTPUT }: PutOptions = {},
): Promise<{ status: number; problem: Partial<Problem> }> {
  return call(dispatch.gleaner.url, 'PUT', path, { token, type, body: new Uint8Array(body) });
}

interface PutOptions {
  readonly token?: string;
  readonly type?: string;
  readonly body?: Buffer;
}

describe('outputs that are too large to send along', () => {
  it('are asked for after agreement, and the unit is valid once they came', async () => {
    const { job, hosts } = await agree();
    const asked = async (): Promise<Array<{ host: TestHost; url: string }>> => {
      const answers = await Promise.all(hosts.map((host) => host.work()));
      return answers.flatMap(({ outputsWanted }, at) =>
        outputsWanted.map(({ uploadUrl }) => ({ host: hosts[at]!, url: uploadUrl })),
      );
    };
    await expect.poll(asked).toHaveLength(1);
    const [wanted] = await asked();
    const token = wanted!.host.attached.secret;
    expect(await put(wanted!.url, { token })).toMatchObject({ status: 204 });
    await dispatch.becomes(job, 'valid');
  });

  it('are waited for as long when a late result is judged and a sweep comes by meanwhile', async () => {
    const job = await dispatch.aJob();
    const late = await dispatch.aHost();
    const task = await dispatch.aTask(late);
    await dispatch.endLeases(job);
    await dispatch.sweep();
    await agree(job);
    const unit = 'SELECT state, upload_until FROM work_unit WHERE id = $1';
    const before = await dispatch.query(unit, [job.firstUnitId]);
    await late.report(resultWith(task, OUTPUT, { withheld: true }));
    const states = 'SELECT state FROM task WHERE unit_id = $1';
    const valid = { state: 'valid' };
    await expect.poll(() => dispatch.query(states, [job.firstUnitId])).toEqual([valid, valid, valid]);
    await dispatch.sweep();
    expect(await dispatch.query(unit, [job.firstUnitId])).toEqual(before);
    expect(before).toMatchObject([{ state: 'awaiting-output', upload_until: expect.any(Date) as Date }]);
  });

  it('are asked from the next agreeing host where they do not come in time', async () => {
    const agreement = await agree();
    const first = await askedOrdinal(agreement);
    await dispatch.query("UPDATE work_unit SET upload_until = now() - interval '1 second' WHERE id = $1", [
      agreement.job.firstUnitId,
    ]);
    await dispatch.sweep();
    await expect.poll(() => askedOrdinal(agreement)).not.toBe(first);
    expect(await dispatch.unitStates(agreement.job)).toEqual(['awaiting-output']);
  });

  it('are not kept of a host whose upload ends when those of another have settled the unit', async () => {
    const agreement = await agree();
    const { job, hosts, tasks } = agreement;
    const upload = (ordinal: number, body: Buffer | ReadableStream): Promise<Response> => {
      const at = tasks.findIndex(({ taskId }) => taskId === `${job.firstUnitId}.${ordinal}`);
      const url = new URL(`/v1/tasks/${tasks[at]!.taskId}/outputs/stdout`, dispatch.gleaner.url);
      const authorization = `Bearer ${hosts[at]!.attached.secret}`;
      const headers = { authorization, 'content-type': 'application/octet-stream' };
      const content =
        body instanceof ReadableStream ? { body, duplex: 'half' as const } : { body: new Uint8Array(body) };
      return fetch(url, { method: 'PUT', headers, ...content });
    };
    const storing = vi.spyOn(dispatch.gleaner.app.get(BlobsService), 'storeStream');
    const slow = new TransformStream<Uint8Array, Uint8Array>();
    const writer = slow.writable.getWriter();
    const first = await askedOrdinal(agreement);
    const late = upload(first, slow.readable);
    await writer.write(new Uint8Array(OUTPUT.subarray(1)));
    // Only whoever is asked comes so far.
    await expect.poll(() => storing.mock.calls).toHaveLength(1);
    storing.mockRestore();
    await dispatch.query("UPDATE work_unit SET upload_until = now() - interval '1 second' WHERE id = $1", [
      job.firstUnitId,
    ]);
    await dispatch.sweep();
    await expect.poll(() => askedOrdinal(agreement)).not.toBe(first);
    expect((await upload(1 - first, OUTPUT)).status).toBe(204);
    await dispatch.becomes(job, 'valid');
    await writer.write(new Uint8Array(OUTPUT.subarray(0, 1)));
    await writer.close();
    expect((await late).status).toBe(409);
    const kept =
      'SELECT owner_id % 64 AS ordinal FROM blob_reference WHERE owner_kind = $1 AND owner_id / 64 = $2';
    expect(await dispatch.query(kept, ['task', job.firstUnitId])).toEqual([{ ordinal: String(1 - first) }]);
  });
});

describe('an output that is handed in later', () => {
  let asked: { readonly host: TestHost; readonly path: string };
  let agreeing: { readonly host: TestHost; readonly path: string };
  let token: string;
  beforeAll(async () => {
    const agreement = await agree();
    const canonical = `${agreement.job.firstUnitId}.${await askedOrdinal(agreement)}`;
    const of = (isAsked: boolean) => {
      const at = agreement.tasks.findIndex(({ taskId }) => (taskId === canonical) === isAsked);
      return { host: agreement.hosts[at]!, path: `/v1/tasks/${agreement.tasks[at]!.taskId}/outputs/stdout` };
    };
    [asked, agreeing] = [of(true), of(false)];
    token = asked.host.attached.secret;
  });

  it('is taken only from its own host, which has to say who it is', async () => {
    expect(await put(asked.path)).toMatchObject({ status: 401 });
    expect(await put(asked.path, { token: 'gln_nobody' })).toMatchObject({ status: 401 });
    expect(await put(asked.path, { token: dispatch.scientist.token })).toMatchObject({
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
    const noTask = asked.path.replace(/\d+\.\d+/, '9007199254740.0');
    expect(await put(noTask, { token })).toMatchObject({ status: 404 });
    const noId = asked.path.replace(/\d+\.\d+/, 'first');
    expect(await put(noId, { token })).toMatchObject({
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
    const keptForTasks = () =>
      dispatch.query("SELECT owner_id FROM blob_reference WHERE owner_kind = 'task' ORDER BY owner_id");
    const before = await keptForTasks();
    const json = { token, type: 'application/json', body: Buffer.from('{}') };
    for (const refused of [{ token, type: 'text/plain' }, json]) {
      expect(await put(asked.path, refused)).toMatchObject({ status: 415 });
    }
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
    expect(await keptForTasks()).toEqual(before);
  });

  it('may be handed in twice', async () => {
    expect(await put(asked.path, { token })).toMatchObject({ status: 204 });
    expect(await put(asked.path, { token })).toMatchObject({ status: 204 });
  });
});
