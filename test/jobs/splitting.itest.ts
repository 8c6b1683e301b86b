import { JobCleaner, JobInputs, JobSplitter, JobSweep } from '@gleaner/coordinator';
import { estimateUnits } from '@gleaner/domain';
import { LIMITS } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rival } from '../support/index.js';
import { JobWorkshop, type UnitFacts } from './job-workshop.js';

/** Units that are written at once. */
const BATCH_UNITS = 2_000;
const MANY = 4 * BATCH_UNITS;
const manyUnits = { split: [{ kind: 'range' as const, name: 'k', from: 0, to: MANY, step: 1 }] };

/** What this thread has computed so far: time in which others had the core does not count. */
function computedUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

describe('splitting a job', () => {
  let workshop: JobWorkshop;
  let splitter: JobSplitter;

  beforeAll(async () => {
    workshop = await JobWorkshop.open();
    splitter = workshop.get(JobSplitter);
  });
  afterAll(() => workshop.close());

  it('writes its units in order with consecutive ids and starts it', async () => {
    const jobId = await workshop.submit({
      split: [
        { kind: 'range', name: 'k', from: 10, to: 13, step: 2 },
        { kind: 'grid', name: 'g', lists: { model: ['a', 'b'] } },
      ],
      replication: { quorum: 3 },
    });
    expect(await splitter.split(jobId)).toBe('ready');
    expect(await workshop.job(jobId)).toMatchObject({ state: 'running', units_split: 4 });
    const units = await workshop.units(jobId);
    expectWhole(units, 4);
    expect(units[3]).toMatchObject({
      state: 'open',
      wanted: 3,
      params: { k: { from: 12, to: 13, index: 1 }, g: { model: 'b' } },
      windows: {},
    });
  });

  it('cuts records of a stored input', async () => {
    const { sha256 } = await workshop.store('>a\nAC\n>b\nGT\nT\n>c\nA\n');
    const jobId = await workshop.submit({
      inputs: { genomes: `sha256:${sha256}` },
      split: [{ kind: 'records', name: 'part', input: 'genomes', delimiter: '\n>', records: 2 }],
    });
    expect(await splitter.split(jobId)).toBe('ready');
    expect((await workshop.units(jobId)).map(({ windows }) => windows)).toEqual([
      { genomes: { offset: 0, length: 14 } },
      { genomes: { offset: 14, length: 5 } },
    ]);
  });

  it('lets others have their turn while it looks for records of single bytes', async () => {
    const { sha256, sizeBytes } = await workshop.store('\n'.repeat(1024 * 1024));
    const inputs = await workshop.get(JobInputs).open({ lines: `sha256:${sha256}` });
    let [longestUs, lastTurnUs] = [0, computedUs()];
    const take = (): void => {
      longestUs = Math.max(longestUs, computedUs() - lastTurnUs);
      lastTurnUs = computedUs();
    };
    const turns = setInterval(take, 1);
    const beganUs = computedUs();
    const lines = { kind: 'records', name: 'r', input: 'lines', delimiter: '\n', records: 1 } as const;
    const { units } = await estimateUnits([lines], inputs);
    take();
    clearInterval(turns);
    expect(units).toBe(sizeBytes);
    expect(longestUs).toBeLessThan((computedUs() - beganUs) / 8);
  });

  it('goes on where it was interrupted', async () => {
    const jobId = await workshop.submit(manyUnits);
    const interruption = new AbortController();
    const splitting = splitter.split(jobId, {
      signal: interruption.signal,
      onUnits: async () => {
        interruption.abort(new Error('killed'));
        return Promise.resolve();
      },
    });
    await expect(splitting).rejects.toThrow('killed');
    const interrupted = await workshop.job(jobId);
    expect(interrupted.state).toBe('splitting');
    expect(interrupted.units_split).toBeLessThan(MANY);
    expect(await splitter.split(jobId)).toBe('ready');
    expectWhole(await workshop.units(jobId), MANY);
  });

  it('makes every unit once when two processes split the same job', async () => {
    const jobId = await workshop.submit(manyUnits);
    const outcomes = await Promise.all([splitter.split(jobId), splitter.split(jobId)]);
    expect(outcomes).toContain('stopped');
    await splitter.split(jobId);
    expect(await workshop.job(jobId)).toMatchObject({ state: 'running', units_split: MANY });
    expectWhole(await workshop.units(jobId), MANY);
  });

  it('makes room after its turn for a job that has no unit yet, and goes on later', async () => {
    const [long, short] = [await workshop.submit(manyUnits), await workshop.submit({})];
    expect(await splitter.split(long, { turnMs: 0 })).toBe('stopped');
    expect(await workshop.job(long)).toMatchObject({ state: 'splitting', units_split: BATCH_UNITS });
    expect(await splitter.split(short)).toBe('ready');
    expect(await splitter.split(long, { turnMs: 0 })).toBe('ready');
    expectWhole(await workshop.units(long), MANY);
  });

  it('stops when the job is cancelled midway, and its units are put to rest', async () => {
    const jobId = await workshop.submit(manyUnits);
    const splitting = splitter.split(jobId, { onUnits: async () => workshop.cancel(jobId) });
    expect(await splitting).toBe('stopped');
    const { units_split } = await workshop.job(jobId);
    expect(units_split).toBeLessThan(MANY);
    await workshop.get(JobCleaner).clean(jobId);
    const units = await workshop.units(jobId);
    expectWhole(units, units_split);
    expect(new Set(units.map(({ state }) => state))).toEqual(new Set(['cancelled']));
    const tally: unknown = await workshop.dataSource.query(
      'SELECT units_cancelled::int FROM job_tally WHERE job_id = $1',
      [jobId],
    );
    expect(tally).toEqual([{ units_cancelled: units_split }]);
  });

  it('tells of each batch, so that its units are dispatched before the last one is there', async () => {
    const jobId = await workshop.submit(manyUnits);
    const totals: number[] = [];
    const onUnits = async (): Promise<void> => {
      const { state, units_split } = await workshop.job(jobId);
      expect(state).toBe('splitting');
      totals.push(units_split);
    };
    expect(await splitter.split(jobId, { onUnits })).toBe('ready');
    expect(totals).toHaveLength(MANY / BATCH_UNITS);
    expect(totals.at(-1)).toBe(MANY);
  });

  it('writes few units at once where each has long texts', async () => {
    const text = '\u4e2d'.repeat(LIMITS.argBytes);
    const lists = { a: [text], b: [text], c: [text], d: [text], e: [text], f: [text], g: [text] };
    const split = [
      { kind: 'grid' as const, name: 'g', lists: { ...lists, n: Array.from(Array(100).keys()) } },
    ];
    const jobId = await workshop.submit({ split });
    const totals: number[] = [];
    const onUnits = async (): Promise<void> => {
      totals.push((await workshop.job(jobId)).units_split);
    };
    expect(await splitter.split(jobId, { onUnits })).toBe('ready');
    expect(totals).toEqual([37, 74, 100]);
    const units = await workshop.units(jobId);
    expectWhole(units, 100);
    expect(units[99]?.params).toEqual({
      g: { a: text, b: text, c: text, d: text, e: text, f: text, g: text, n: 99 },
    });
  });

  it('goes on after a pause that came and went in the moment of its last unit', async () => {
    const jobId = await workshop.submit({});
    const setState = 'UPDATE job SET state = $2 WHERE id = $1';
    await using pause = await Rival.begin(workshop.dataSource);
    const splitting = splitter.split(jobId, {
      onUnits: () => pause.manager.query(setState, [jobId, 'paused']),
    });
    await pause.isWaitedForBy(1);
    const resumed = workshop.dataSource.query(setState, [jobId, 'splitting']);
    await pause.isWaitedForBy(2);
    await pause.commit();
    await resumed;
    // Both wait for the new version of the job's row. Where who resumes it has that first, there was no pause for the splitter.
    const outcomes = [await splitting, await splitter.split(jobId)];
    expect([
      ['stopped', 'ready'],
      ['ready', 'stopped'],
    ]).toContainEqual(outcomes);
    expect(await workshop.job(jobId)).toMatchObject({ state: 'running', units_split: 3 });
  });

  it('fails a job that yields nothing or whose input is gone, with the reason', async () => {
    const empty = await workshop.submit({ split: [{ kind: 'range', name: 'k', from: 5, to: 5, step: 1 }] });
    expect(await splitter.split(empty)).toBe('failed');
    expect(await workshop.job(empty)).toMatchObject({
      state: 'failed',
      state_reason: 'its split yields no work units',
    });
    const blind = await workshop.submit({
      inputs: { tape: `sha256:${'0'.repeat(64)}` },
      split: [{ kind: 'bytes', name: 'w', input: 'tape', windowBytes: 10 }],
    });
    expect(await splitter.split(blind)).toBe('failed');
    expect(await workshop.job(blind)).toMatchObject({
      state: 'failed',
      state_reason: 'input "tape" is not stored here',
    });
  });
});

describe('a coordinator at work', () => {
  it('splits jobs whose announcement was lost, once a sweep finds them', async () => {
    const workshop = await JobWorkshop.open({ works: true });
    try {
      const jobId = await workshop.submit(manyUnits);
      expect(await workshop.get(JobSweep).sweep()).toBe(1);
      await workshop.until(jobId, (job) => job.state === 'running');
      expectWhole(await workshop.units(jobId), MANY);
    } finally {
      await workshop.close();
    }
  });
});

function expectWhole(units: readonly UnitFacts[], count: number): void {
  expect(units).toHaveLength(count);
  expect(units.every((unit, at) => unit.index_in_job === at)).toBe(true);
}
