import { BlobsService } from '@gleaner/coordinator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DispatchFixture, resultWith, sha256, type TestHost } from '../support/index.js';

/** Too many bytes for the task's row: they become a blob. */
const LARGE_BYTES = 5_000;
const large = (text: string): Buffer => Buffer.alloc(LARGE_BYTES, text);

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

/** Digests of the blobs that are kept for tasks, and of those that nothing keeps. */
async function blobs(): Promise<{ kept: string[]; loose: string[] }> {
  const rows = await dispatch.query<{ sha256: string; kept: boolean }>(
    `SELECT encode(b.sha256, 'hex') AS sha256, EXISTS (
              SELECT FROM blob_reference r WHERE r.sha256 = b.sha256 AND r.owner_kind = 'task') AS kept
       FROM blob b WHERE b.size_bytes = $1 ORDER BY 1`,
    [LARGE_BYTES],
  );
  const digests = (kept: boolean): string[] =>
    rows.filter((row) => row.kept === kept).map((row) => row.sha256);
  return { kept: digests(true), loose: digests(false) };
}

it('beyond the row’s limit are kept as blobs, and the losing ones are let go', async () => {
  const job = await dispatch.aJob();
  const bytes = Buffer.alloc(40_000, 'x');
  for (const host of [await dispatch.aHost(), await dispatch.aHost()]) {
    await host.report(resultWith(await dispatch.aTask(host), bytes));
  }
  await dispatch.becomes(job, 'valid');
  const owners = async (): Promise<number> => {
    const rows = await dispatch.query(
      "SELECT FROM blob_reference WHERE owner_kind = 'task' AND sha256 = decode($1, 'hex')",
      [sha256(bytes)],
    );
    return rows.length;
  };
  await expect.poll(owners).toBe(1);
  // A unit that opens again looks for its answer where it is said to be.
  const held = 'SELECT outputs_held AS held FROM task WHERE unit_id = $1 ORDER BY held';
  expect(await dispatch.query(held, [job.firstUnitId])).toEqual([{ held: false }, { held: true }]);
});

it('of a stored result stay, whatever others report for its task and its host reports again', async () => {
  await dispatch.aJob();
  const [honest, stranger] = [await dispatch.aHost(), await dispatch.aHost()];
  const task = await dispatch.aTask(honest);
  const before = await blobs();
  const result = resultWith(task, large('h'));
  const stored = { ...before, kept: [...before.kept, result.outputs[0]!.sha256].toSorted() };
  expect((await honest.report(result)).reports).toMatchObject([{ status: 'accepted' }]);
  expect(await blobs()).toEqual(stored);

  expect((await stranger.report(resultWith(task, large('s')))).reports).toMatchObject([
    { status: 'refused' },
  ]);
  expect(await blobs()).toEqual(stored);

  const repeats = ['1', '2', '3'].map((text) => resultWith(task, large(text)));
  const { reports } = await honest.report(...repeats, result);
  expect(reports.map(({ status }) => status)).toEqual(['repeat', 'repeat', 'repeat', 'repeat']);
  expect(await blobs()).toEqual(stored);
});

it('of several results that a host reports for one task at once are kept only where they are the stored one’s', async () => {
  await dispatch.aJob();
  const host = await dispatch.aHost();
  const task = await dispatch.aTask(host);
  const before = await blobs();
  const results = ['x', 'y', 'z'].map((text) => resultWith(task, large(text)));
  const { reports } = await host.report(...results);
  expect(reports.map(({ status }) => status)).toEqual(['accepted', 'repeat', 'repeat']);
  const { kept } = await blobs();
  expect(kept.filter((digest) => !before.kept.includes(digest))).toEqual([results[0]!.outputs[0]!.sha256]);
});

it('of a result that was stored without them are not kept for a repeat that brings them', async () => {
  await dispatch.aJob();
  const host = await dispatch.aHost();
  const task = await dispatch.aTask(host);
  const before = await blobs();
  // On their way together: the second is looked at before the first is stored.
  const results = [true, false].map((withheld) => resultWith(task, large('w'), { withheld }));
  const { reports } = await host.report(...results);
  expect(reports.map(({ status }) => status)).toEqual(['accepted', 'repeat']);
  expect((await blobs()).kept).toEqual(before.kept);
});

it('are not kept for a task that is removed with its job before they are reported', async () => {
  const { firstUnitId } = await dispatch.aJob();
  const host = await dispatch.aHost();
  const result = resultWith(await dispatch.aTask(host), large('r'));
  await dispatch.gleaner.app.get(BlobsService).storeBytes(large('r'), { accountId: null });
  const before = await blobs();
  await using cleaner = await dispatch.rivalHolding(
    "SELECT FROM blob WHERE sha256 = decode($1, 'hex') FOR UPDATE",
    [result.outputs[0]!.sha256],
  );
  const reported = host.report(result);
  await cleaner.isWaitedForBy(1);
  for (const table of ['lease', 'task'])
    await cleaner.manager.query(`DELETE FROM ${table} WHERE unit_id = $1`, [firstUnitId]);
  await cleaner.manager.query('DELETE FROM work_unit WHERE id = $1', [firstUnitId]);
  await cleaner.commit();
  expect((await reported).reports).toMatchObject([{ status: 'refused' }]);
  expect(await blobs()).toEqual(before);
});

/** Its host could not compute it: nothing is kept, and others get the unit. */
async function expectNotComputed(taskId: string): Promise<void> {
  const [unitId, ordinal] = taskId.split('.');
  const rows = await dispatch.query(
    'SELECT state, counts, outcome, outputs FROM task WHERE unit_id = $1 AND ordinal = $2',
    [unitId, ordinal],
  );
  expect(rows).toEqual([{ state: 'error', counts: false, outcome: 'infrastructure', outputs: null }]);
  const other: TestHost = await dispatch.aHost();
  const again = await dispatch.aTask(other);
  expect(again.taskId).toMatch(new RegExp(`^${unitId}\\.(?!${ordinal}$)`));
}

it('that lack one that the job declares are refused with its name, and others get the task', async () => {
  const { jobId } = await dispatch.aJob();
  await dispatch.query(
    `UPDATE job SET spec = jsonb_set(spec, '{outputs}', '["stdout","peaks"]') WHERE id = $1`,
    [jobId],
  );
  const host = await dispatch.aHost();
  const task = await dispatch.aTask(host);
  const before = await blobs();
  const { reports } = await host.report(resultWith(task, large('only stdout')));
  expect(reports).toMatchObject([
    { status: 'refused', reason: expect.stringContaining('/reports/0/outputs: "peaks" missing') as string },
  ]);
  expect(await blobs()).toEqual(before);
  await expectNotComputed(task.taskId);
});

it.each([
  [
    'that the job does not declare',
    'extra',
    undefined,
    '/reports/0/outputs/0/name: the job has no output "extra"',
  ],
  ['beyond the job’s bytes', 'stdout', LARGE_BYTES - 1, `allows ${LARGE_BYTES - 1}`],
])('%s are refused with their place, kept nowhere, and others get the task', async (...row) => {
  const [, name, outputBytes, reason] = row;
  const { jobId } = await dispatch.aJob();
  if (outputBytes !== undefined) {
    await dispatch.query(
      "UPDATE job SET spec = jsonb_set(spec, '{limits,outputBytes}', $2::jsonb) WHERE id = $1",
      [jobId, outputBytes],
    );
  }
  const host = await dispatch.aHost();
  const task = await dispatch.aTask(host);
  const before = await blobs();
  const result = resultWith(task, large(`${name}${String(outputBytes)}`), { name });
  for (const { reports } of [await host.report(result), await host.report(result)]) {
    expect(reports).toMatchObject([{ status: 'refused', reason: expect.stringContaining(reason) as string }]);
  }
  expect(await blobs()).toEqual(before);
  await expectNotComputed(task.taskId);
});
