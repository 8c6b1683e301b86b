import { checkReport, hotPool, runReports, TaskOutputs } from '@gleaner/coordinator';
import type { ResultReport } from '@gleaner/protocol';
import type { QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DispatchFixture, resultWith, type TestHost } from '../support/index.js';

/** Too many bytes for the task's row: they become a blob. */
const large = (text: string): Buffer => Buffer.alloc(5_000, text);

let dispatch: DispatchFixture;
let outputs: TaskOutputs;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
  outputs = dispatch.gleaner.app.get(TaskOutputs);
});
afterAll(() => dispatch.close());

function checked(report: ResultReport, host: TestHost) {
  const check = checkReport(report, host.attached.accountId);
  if (!check.ok) throw new Error(check.reason);
  return check;
}

/** Digests that are kept for tasks of the unit. */
async function keptFor(unitId: number): Promise<string[]> {
  const rows = await dispatch.query<{ sha256: string }>(
    `SELECT encode(sha256, 'hex') AS sha256 FROM blob_reference WHERE owner_kind = 'task' AND owner_id / 64 = $1`,
    [unitId],
  );
  return rows.map(({ sha256 }) => sha256);
}

/** What is done between is committed once somebody waits for it. */
async function whileHeldUp<T>(
  begin: (rival: QueryRunner) => Promise<unknown>,
  start: () => Promise<T>,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  const rival = dispatch.gleaner.dataSource.createQueryRunner();
  try {
    await rival.startTransaction();
    await begin(rival);
    const started = start();
    await dispatch.isWaitedFor(rival);
    await meanwhile();
    await rival.commitTransaction();
    return await started;
  } finally {
    if (rival.isTransactionActive) await rival.rollbackTransaction();
    await rival.release();
  }
}

describe('outputs of one task that come twice', () => {
  it('stay for the report that is stored, where the other one is told to come again', async () => {
    const { firstUnitId } = await dispatch.aJob();
    const host = await dispatch.aHost();
    const result = resultWith(await dispatch.aTask(host), large('t'));
    const { report, blobs } = checked(result, host);
    const { reports } = await whileHeldUp(
      (rival) =>
        rival.query("UPDATE task SET state = 'lost', counts = false WHERE unit_id = $1", [firstUnitId]),
      () => host.report(result),
      // The same report at another coordinator, which stores its outputs first.
      () => outputs.store(report, blobs),
    );
    expect(reports).toMatchObject([{ status: 'retry' }]);
    const rows = await runReports(hotPool(dispatch.gleaner.dataSource), [report]);
    expect(rows).toMatchObject([{ stored: true }]);
    expect(await keptFor(firstUnitId)).toEqual([result.outputs[0]!.sha256]);
  });

  it('stay for the report whose outputs are uploaded, where the other one is a repeat', async () => {
    const { firstUnitId } = await dispatch.aJob();
    const host = await dispatch.aHost();
    const task = await dispatch.aTask(host);
    const { report, blobs } = checked(resultWith(task, large('u')), host);
    await outputs.store(report, blobs);
    await host.report(resultWith(task, large('u'), { withheld: true }));
    await whileHeldUp(
      // As an upload does.
      (rival) => rival.query('UPDATE task SET outputs_held = true WHERE unit_id = $1', [firstUnitId]),
      () => outputs.forget(report, blobs),
    );
    expect(await keptFor(firstUnitId)).toEqual([blobs[0]!.sha256]);
  });

  it('are let go with the unit, where no report comes again', async () => {
    const job = await dispatch.aJob();
    const [silent, ...others] = [await dispatch.aHost(), await dispatch.aHost(), await dispatch.aHost()];
    const { report, blobs } = checked(resultWith(await dispatch.aTask(silent), large('s')), silent);
    await outputs.store(report, blobs);
    await dispatch.endLeases(job);
    await dispatch.sweep();
    await dispatch.contribute(...others);
    await dispatch.becomes(job, 'valid');
    await expect.poll(() => keptFor(job.firstUnitId)).toEqual([]);
  });
});
