import { hotPool, runReports, TaskOutputs } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checked, DispatchFixture, resultWith, type Rival } from '../support/index.js';

/** Too many bytes for the task's row: they become a blob. */
const large = (text: string): Buffer => Buffer.alloc(5_000, text);

let dispatch: DispatchFixture;
let outputs: TaskOutputs;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
  outputs = dispatch.gleaner.app.get(TaskOutputs);
});
afterAll(() => dispatch.close());

/** Digests that are kept for tasks of the unit. */
async function keptFor(unitId: number): Promise<string[]> {
  const rows = await dispatch.query<{ sha256: string }>(
    `SELECT encode(sha256, 'hex') AS sha256 FROM blob_reference WHERE owner_kind = 'task' AND owner_id / 64 = $1`,
    [unitId],
  );
  return rows.map(({ sha256 }) => sha256);
}

/** Who has changed the unit's tasks, and not committed it. */
const whoSets = (change: string, unitId: number): Promise<Rival> =>
  dispatch.rivalHolding(`UPDATE task SET ${change} WHERE unit_id = $1`, [unitId]);

describe('outputs of one task that come twice', () => {
  it('stay for the report that is stored, where the other one is told to come again', async () => {
    const { firstUnitId } = await dispatch.aJob();
    const host = await dispatch.aHost();
    const result = resultWith(await dispatch.aTask(host), large('t'));
    const { report, blobs } = checked(result, host);
    await using rival = await whoSets("state = 'lost', counts = false", firstUnitId);
    const reported = host.report(result);
    await rival.isWaitedFor();
    // The same report at another coordinator, which stores its outputs first.
    await outputs.store(report, blobs);
    await rival.commit();
    expect((await reported).reports).toMatchObject([{ status: 'retry' }]);
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
    // As an upload does.
    await using rival = await whoSets('outputs_held = true', firstUnitId);
    const forgotten = outputs.forget(report, blobs);
    await rival.isWaitedForBy(1);
    await rival.commit();
    await forgotten;
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
