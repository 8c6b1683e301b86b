import { createHash } from 'node:crypto';
import { type ResultReport, resultDigestText, type TaskAssignment } from '@gleaner/protocol';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/application.js';
import { createVolunteer, RUNTIME, seedJob, TestHost } from './dispatch-fixture.js';

/** Too many bytes for the task's row: they become a blob. */
const LARGE_BYTES = 5_000;

let app: TestApplication;
beforeAll(async () => {
  app = await createTestApplication({ redis: inject('redisUrl') !== null });
});
afterAll(() => app.close());

async function aHost(name: string): Promise<TestHost> {
  const { token } = await createVolunteer(app.url, app.operatorToken, name);
  return TestHost.attach(app.url, { token });
}

function largeResult(
  { taskId }: Pick<TaskAssignment, 'taskId'>,
  text: string,
  name = 'stdout',
): ResultReport {
  const bytes = Buffer.alloc(LARGE_BYTES, text);
  const result = { outcome: 'ok' as const, exitCode: 0, cycles: '5000' };
  const output = { name, size: bytes.length, sha256: sha256Of(bytes) };
  return {
    ...result,
    taskId,
    outputs: [{ ...output, base64: bytes.toString('base64') }],
    digest: sha256Of(resultDigestText({ ...result, outputs: [output] })),
    runtimeVersion: RUNTIME,
  };
}

function sha256Of(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Digests of the blobs that are kept for tasks, and of those that nothing keeps. */
async function blobs(): Promise<{ kept: string[]; loose: string[] }> {
  const rows: Array<{ sha256: string; kept: boolean }> = await app.dataSource.query(
    `SELECT encode(b.sha256, 'hex') AS sha256, EXISTS (
              SELECT FROM blob_reference r WHERE r.sha256 = b.sha256 AND r.owner_kind = 'task') AS kept
       FROM blob b WHERE b.size_bytes = $1 ORDER BY 1`,
    [LARGE_BYTES],
  );
  const digests = (kept: boolean): string[] =>
    rows.filter((row) => row.kept === kept).map(({ sha256 }) => sha256);
  return { kept: digests(true), loose: digests(false) };
}

it('outputs of a stored result stay, whatever others report for its task and its host reports again', async () => {
  const { accountId } = await createVolunteer(app.url, app.operatorToken, 'scientist');
  await seedJob(app.dataSource, { units: 1, accountId });
  const [honest, stranger] = [await aHost('honest'), await aHost('stranger')];
  const [task] = (await honest.ask(1, 4096, 200)).tasks;
  const result = largeResult(task!, 'h');
  const stored = { kept: [result.outputs[0]!.sha256], loose: [] };
  expect((await honest.report(result)).reports).toMatchObject([{ status: 'accepted' }]);
  expect(await blobs()).toEqual(stored);

  expect((await stranger.report(largeResult(task!, 's'))).reports).toMatchObject([{ status: 'refused' }]);
  expect(await blobs()).toEqual(stored);

  const repeats = ['1', '2', '3'].map((text) => largeResult(task!, text));
  const { reports } = await honest.report(...repeats, result);
  expect(reports.map(({ status }) => status)).toEqual(['repeat', 'repeat', 'repeat', 'repeat']);
  expect(await blobs()).toEqual(stored);
});

it('of several results that a host reports for one task at once, only the outputs of the stored one are kept', async () => {
  const { accountId } = await createVolunteer(app.url, app.operatorToken, 'another scientist');
  await seedJob(app.dataSource, { units: 1, accountId });
  const host = await aHost('hasty');
  const [task] = (await host.ask(1, 4096, 200)).tasks;
  const before = await blobs();
  const results = ['x', 'y', 'z'].map((text) => largeResult(task!, text));
  const { reports } = await host.report(...results);
  expect(reports.map(({ status }) => status)).toEqual(['accepted', 'repeat', 'repeat']);
  const { kept } = await blobs();
  expect(kept.filter((digest) => !before.kept.includes(digest))).toEqual([results[0]!.outputs[0]!.sha256]);
});

it('a result that lacks an output that its job declares is refused with its name, and others get the task', async () => {
  const { accountId } = await createVolunteer(app.url, app.operatorToken, 'thorough scientist');
  await app.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
  const { jobId, firstUnitId } = await seedJob(app.dataSource, { units: 1, accountId });
  await app.dataSource.query(
    `UPDATE job SET spec = jsonb_set(spec, '{outputs}', '["stdout","peaks"]') WHERE id = $1`,
    [jobId],
  );
  const host = await aHost('forgetful');
  const [task] = (await host.ask(1, 4096, 200)).tasks;
  const before = await blobs();
  const { reports } = await host.report(largeResult(task!, 'only stdout'));
  expect(reports).toMatchObject([
    { status: 'refused', reason: expect.stringContaining('/reports/0/outputs: "peaks" missing') as string },
  ]);
  expect(await blobs()).toEqual(before);
  expect(
    await app.dataSource.query('SELECT state, counts, outputs FROM task WHERE unit_id = $1', [firstUnitId]),
  ).toEqual([{ state: 'error', counts: false, outputs: null }]);
});

it.each([
  [
    'that the job does not declare',
    'extra',
    undefined,
    '/reports/0/outputs/0/name: the job has no output "extra"',
  ],
  ['beyond the job’s bytes', 'stdout', LARGE_BYTES - 1, `allows ${LARGE_BYTES - 1}`],
])('outputs %s are refused with their place, kept nowhere, and others get the task', async (...row) => {
  const [, name, outputBytes, reason] = row;
  const { accountId } = await createVolunteer(app.url, app.operatorToken, 'strict scientist');
  await app.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
  const { jobId } = await seedJob(app.dataSource, { units: 1, accountId });
  if (outputBytes !== undefined) {
    await app.dataSource.query(
      "UPDATE job SET spec = jsonb_set(spec, '{limits,outputBytes}', $2::jsonb) WHERE id = $1",
      [jobId, outputBytes],
    );
  }
  const host = await aHost('inventive');
  const [task] = (await host.ask(1, 4096, 200)).tasks;
  const before = await blobs();
  const result = largeResult(task!, `${name}${String(outputBytes)}`, name);
  for (const { reports } of [await host.report(result), await host.report(result)]) {
    expect(reports).toMatchObject([{ status: 'refused', reason: expect.stringContaining(reason) as string }]);
  }
  expect(await blobs()).toEqual(before);
  const [unitId, ordinal] = task!.taskId.split('.');
  expect(
    await app.dataSource.query(
      'SELECT state, counts, outcome, outputs FROM task WHERE unit_id = $1 AND ordinal = $2',
      [unitId, ordinal],
    ),
  ).toEqual([{ state: 'error', counts: false, outcome: 'infrastructure', outputs: null }]);
  const other = await aHost('other');
  const [again] = (await other.ask(1, 4096, 200)).tasks;
  expect(again?.taskId).toMatch(new RegExp(`^${unitId}\\.(?!${ordinal}$)`));
});
