import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Assimilator, JobCleaner, JobSplitter, JobSweep } from '@gleaner/coordinator';
import type { JobSpecInput } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobWorkshop, type ReportedOutput } from './job-workshop.js';

let workshop: JobWorkshop;
let assimilator: Assimilator;

beforeAll(async () => {
  workshop = await JobWorkshop.open();
  assimilator = workshop.get(Assimilator);
});
afterAll(() => workshop.close());

/** A job of one unit for each entry, settled with these outputs in the opposite order; null is a failed unit. */
async function aSettledJob(
  outputs: ReadonlyArray<readonly ReportedOutput[] | null>,
  about: Partial<JobSpecInput> = {},
): Promise<string> {
  const jobId = await workshop.submit({
    split: [{ kind: 'range', name: 'k', from: 0, to: outputs.length, step: 1 }],
    ...about,
  });
  await workshop.get(JobSplitter).split(jobId);
  for (const { id, index_in_job } of (await workshop.units(jobId)).toReversed()) {
    await workshop.settle(id, outputs[index_in_job] ?? null);
  }
  return jobId;
}

const stdout = (text: string, asBlob = false): ReportedOutput[] => [{ text, asBlob }];

async function answerOf(jobId: string): Promise<string> {
  const { output } = await workshop.job(jobId);
  return await workshop.read(output ?? 'no output');
}

describe('assimilating a job', () => {
  it('joins outputs in unit order, from rows and blobs, whatever the order they came in', async () => {
    const jobId = await aSettledJob([stdout('one\n'), stdout('two\n', true), stdout('three\n')]);
    expect(await assimilator.assimilate(jobId)).toBe('completed');
    expect(await answerOf(jobId)).toBe('one\ntwo\nthree\n');
    expect(await workshop.job(jobId)).toMatchObject({ state: 'completed', state_reason: null });
    expect(
      await workshop.count(
        'blob_reference',
        `owner_kind = 'job' AND owner_id = ${jobId} AND role = 'output'`,
      ),
    ).toBe(1);
  });

  it('takes the declared outputs of a unit in the order of the job file', async () => {
    const unit = [
      { name: 'table', text: 'T' },
      { name: 'stdout', text: 'S' },
      { name: 'other', text: 'X' },
    ];
    const jobId = await aSettledJob([unit, unit], { outputs: ['stdout', 'table'] });
    await assimilator.assimilate(jobId);
    expect(await answerOf(jobId)).toBe('STST');
  });

  it('sums by key and sorts lines', async () => {
    const counts = [stdout('b\t1\na\t2\n'), stdout('a\t40\n')];
    const summed = await aSettledJob(counts, { merge: { kind: 'sum' } });
    await assimilator.assimilate(summed);
    expect(await answerOf(summed)).toBe('a\t42\nb\t1\n');
    const sorted = await aSettledJob(counts, { merge: { kind: 'lines' } });
    await assimilator.assimilate(sorted);
    expect(await answerOf(sorted)).toBe('a\t2\na\t40\nb\t1\n');
  });

  it('ends a line where an output of a unit ends, before the next output of that unit', async () => {
    const unit = [
      { name: 'stdout', text: 'a\t1' },
      { name: 'table', text: '2\t1' },
    ];
    const about = { outputs: ['stdout', 'table'] };
    const sorted = await aSettledJob([unit], { ...about, merge: { kind: 'lines' } });
    const summed = await aSettledJob([unit, unit], { ...about, merge: { kind: 'sum' } });
    for (const jobId of [sorted, summed]) await assimilator.assimilate(jobId);
    expect(await answerOf(sorted)).toBe('2\t1\na\t1\n');
    expect(await answerOf(summed)).toBe('2\t2\na\t2\n');
  });

  it('completes without the failed units and counts them', async () => {
    const jobId = await aSettledJob([stdout('one\n'), null, stdout('three\n')]);
    expect(await assimilator.assimilate(jobId)).toBe('completed');
    expect(await answerOf(jobId)).toBe('one\nthree\n');
    expect((await workshop.job(jobId)).state_reason).toBe('1 of 3 units failed');
  });

  it('fails with the reason where nothing can be merged', async () => {
    const allFailed = await aSettledJob([null, null]);
    expect(await assimilator.assimilate(allFailed)).toBe('failed');
    expect(await workshop.job(allFailed)).toMatchObject({
      state: 'failed',
      state_reason: 'all 2 units failed',
    });
    const noSum = await aSettledJob([stdout('a\t1\n'), stdout('a\t1e9\n')], { merge: { kind: 'sum' } });
    expect(await assimilator.assimilate(noSum)).toBe('failed');
    expect((await workshop.job(noSum)).state_reason).toMatch(
      /^its outputs cannot be merged: unit 1, line 1: "1e9" is not/,
    );
  });

  it('fails a paused job all of whose units failed, and leaves one with a valid unit to its scientist', async () => {
    const pause = async (jobId: string): Promise<unknown> =>
      await workshop.dataSource.query(
        "UPDATE job SET state = 'paused', state_reason = 'too many' WHERE id = $1",
        [jobId],
      );
    const [hopeless, partial] = [await aSettledJob([null, null]), await aSettledJob([stdout('one\n'), null])];
    for (const jobId of [hopeless, partial]) await pause(jobId);
    expect(await assimilator.assimilate(hopeless)).toBe('failed');
    expect(await workshop.job(hopeless)).toMatchObject({
      state: 'failed',
      state_reason: 'all 2 units failed',
    });
    expect(await assimilator.assimilate(partial)).toBe('not-ready');
    expect(await workshop.job(partial)).toMatchObject({ state: 'paused', state_reason: 'too many' });
    const open = await aSettledJob([null, null]);
    await pause(open);
    await workshop.dataSource.query('UPDATE job SET split_at = NULL WHERE id = $1', [open]);
    expect(await assimilator.assimilate(open)).toBe('not-ready');
  });

  it('is announced by the sweep for a paused job all of whose units failed', async () => {
    const jobId = await aSettledJob([null, null]);
    await workshop.dataSource.query("UPDATE job SET state = 'paused' WHERE id = $1", [jobId]);
    const before = await workshop.get(JobSweep).sweep();
    await workshop.dataSource.query('INSERT INTO job_tally (job_id, units_failed) VALUES ($1, 2)', [jobId]);
    expect(await workshop.get(JobSweep).sweep()).toBe(before + 1);
  });

  it('waits while a unit is open', async () => {
    const jobId = await workshop.submit({});
    await workshop.get(JobSplitter).split(jobId);
    expect(await assimilator.assimilate(jobId)).toBe('not-ready');
    expect((await workshop.job(jobId)).state).toBe('running');
  });

  it('runs on when a unit opened again meanwhile', async () => {
    const jobId = await aSettledJob([stdout('one\n'), stdout('two\n')]);
    await expect(assimilator.assimilate(jobId, AbortSignal.abort(new Error('killed')))).rejects.toThrow(
      'killed',
    );
    const [first] = await workshop.units(jobId);
    await workshop.dataSource.query("UPDATE work_unit SET state = 'open', settled_at = NULL WHERE id = $1", [
      first?.id,
    ]);
    expect(await assimilator.assimilate(jobId)).toBe('not-ready');
    expect(await workshop.job(jobId)).toMatchObject({ state: 'running', output: null });
  });

  it('starts again after an interruption and completes once', async () => {
    const jobId = await aSettledJob([stdout('one\n'), stdout('two\n')]);
    const killed = AbortSignal.abort(new Error('killed'));
    await expect(assimilator.assimilate(jobId, killed)).rejects.toThrow('killed');
    expect((await workshop.job(jobId)).state).toBe('assimilating');
    const outcomes = await Promise.all([assimilator.assimilate(jobId), assimilator.assimilate(jobId)]);
    expect(outcomes.toSorted()).toEqual(['completed', 'not-ready']);
    expect(await answerOf(jobId)).toBe('one\ntwo\n');
    expect(await assimilator.assimilate(jobId)).toBe('not-ready');
  });
});

describe('deleting a job', () => {
  it('removes its units, tasks and blob references, and is found by the sweep', async () => {
    const jobId = await aSettledJob([stdout('one\n'), stdout('two\n', true)]);
    await assimilator.assimilate(jobId);
    const ids = (await workshop.units(jobId)).map(({ id }) => id).join();
    await workshop.dataSource.query('UPDATE job SET deleted_at = now() WHERE id = $1', [jobId]);
    expect(await workshop.get(JobSweep).sweep()).toBeGreaterThanOrEqual(1);
    await workshop.get(JobCleaner).clean(jobId);
    expect(await workshop.count('work_unit', `job_id = ${jobId}`)).toBe(0);
    expect(await workshop.count('task', `unit_id IN (${ids})`)).toBe(0);
    expect(await workshop.count('blob_reference', `owner_kind = 'task' AND owner_id / 64 IN (${ids})`)).toBe(
      0,
    );
    expect(await workshop.count('blob_reference', `owner_kind = 'job' AND owner_id = ${jobId}`)).toBe(0);
  });
});

describe('a job that is cancelled while its answer is put together', () => {
  it('leaves nothing on the disk, also where the coordinator was killed in the middle', async () => {
    const jobId = await aSettledJob([stdout('one\n')]);
    const directory = join(workshop.dataDirectory, 'assimilation', `job-${jobId}`);
    await mkdir(join(directory, 'of the killed one'), { recursive: true });
    await workshop.cancel(jobId);
    await workshop.get(JobCleaner).clean(jobId);
    expect(await readdir(join(workshop.dataDirectory, 'assimilation'))).not.toContain(`job-${jobId}`);
  });
});

describe('a job that was put to rest only halfway', () => {
  it('is found by the sweep while a unit awaits its outputs', async () => {
    const jobId = await aSettledJob([stdout('one\n')]);
    await workshop.dataSource.query("UPDATE job SET state = 'cancelled', finished_at = now() WHERE id = $1", [
      jobId,
    ]);
    const before = await workshop.get(JobSweep).sweep();
    await workshop.dataSource.query("UPDATE work_unit SET state = 'awaiting-output' WHERE job_id = $1", [
      jobId,
    ]);
    expect(await workshop.get(JobSweep).sweep()).toBe(before + 1);
    // However long it has been ended.
    await workshop.dataSource.query("UPDATE job SET finished_at = now() - interval '1 year' WHERE id = $1", [
      jobId,
    ]);
    expect(await workshop.get(JobSweep).sweep()).toBe(before + 1);
  });

  it('is found by the sweep while it keeps blobs without any unit', async () => {
    const jobId = await aSettledJob([stdout('one\n')]);
    await assimilator.assimilate(jobId);
    await workshop.dataSource.query('DELETE FROM work_unit WHERE job_id = $1', [jobId]);
    const before = await workshop.get(JobSweep).sweep();
    await workshop.dataSource.query('UPDATE job SET deleted_at = now() WHERE id = $1', [jobId]);
    expect(await workshop.get(JobSweep).sweep()).toBe(before + 1);
    await workshop.get(JobCleaner).clean(jobId);
    expect(await workshop.count('blob_reference', `owner_kind = 'job' AND owner_id = ${jobId}`)).toBe(0);
    expect(await workshop.get(JobSweep).sweep()).toBe(before);
  });
});

describe('a coordinator at work', () => {
  it('completes a job from submission to answer', async () => {
    const own = await JobWorkshop.open({ works: true });
    try {
      const jobId = await own.submit({});
      await own.get(JobSweep).sweep();
      await own.until(jobId, (job) => job.state === 'running');
      for (const { id, index_in_job } of await own.units(jobId))
        await own.settle(id, stdout(`${index_in_job}\n`));
      await own.dataSource.query('INSERT INTO job_tally (job_id, units_valid) VALUES ($1, 3)', [jobId]);
      await own.get(JobSweep).sweep();
      const { output } = await own.until(jobId, (job) => job.state === 'completed');
      expect(await own.read(output ?? '')).toBe('0\n1\n2\n');
    } finally {
      await own.close();
    }
  });
});
