import { mkdir, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Assimilator, JobSplitter } from '@gleaner/coordinator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256 } from '../support/index.js';
import { JobWorkshop } from './job-workshop.js';

let workshop: JobWorkshop;
let blobs: string;
beforeAll(async () => {
  workshop = await JobWorkshop.open();
  blobs = join(workshop.dataDirectory, 'blobs');
  for (let blob = 0; blob < 3; blob += 1) await workshop.store(`what others have stored: ${blob}`);
});
afterAll(() => workshop.close());

const UNREADABLE = /^its answer could not be put together; it is tried again/;

/** A job of one unit whose output is a blob. */
async function aSettledJob(text: string): Promise<string> {
  const jobId = await workshop.submit({ split: [{ kind: 'range', name: 'k', from: 0, to: 1, step: 1 }] });
  await workshop.get(JobSplitter).split(jobId);
  for (const { id } of await workshop.units(jobId)) await workshop.settle(id, [{ text, asBlob: true }]);
  return jobId;
}

async function aJobThatReads(text: string): Promise<string> {
  const { sha256: tape } = await workshop.store(text);
  return await workshop.submit({
    inputs: { tape: `sha256:${tape}` },
    split: [{ kind: 'records', name: 'w', input: 'tape', delimiter: '\n', records: 1 }],
  });
}

function contentPath(text: string): string {
  const digest = sha256(Buffer.from(text));
  return join(blobs, digest.slice(0, 2), `${digest}.bin`);
}

const fold = (jobId: string) => workshop.get(Assimilator).assimilate(jobId);
const split = (jobId: string) => workshop.get(JobSplitter).split(jobId);

it('jobs wait for a volume that is not mounted, and go on once it is', async () => {
  const [settled, submitted] = [await aSettledJob('an output\n'), await aJobThatReads('a\nb\n')];
  const aside = `${blobs}.mounted`;
  await rename(blobs, aside);
  // As a coordinator finds it that is started meanwhile.
  await mkdir(join(blobs, 'incoming'), { recursive: true });
  await expect(fold(settled)).rejects.toThrow('is the volume of the data directory mounted?');
  await expect(split(submitted)).rejects.toThrow('is the volume of the data directory mounted?');
  expect(await workshop.job(settled)).toMatchObject({
    state: 'assimilating',
    state_reason: expect.stringMatching(UNREADABLE) as unknown,
  });
  expect((await workshop.job(submitted)).state).toBe('splitting');
  await rm(blobs, { recursive: true });
  await rename(aside, blobs);
  expect(await fold(settled)).toBe('completed');
  expect(await split(submitted)).toBe('ready');
});

it('a job fails at content that alone is gone', async () => {
  const [settled, submitted] = [await aSettledJob('a lost output\n'), await aJobThatReads('c\nd\n')];
  await rm(contentPath('a lost output\n'));
  await rm(contentPath('c\nd\n'));
  expect(await fold(settled)).toBe('failed');
  expect((await workshop.job(settled)).state_reason).toMatch(
    /^output "stdout" of unit 0 .* is not stored here$/,
  );
  expect(await split(submitted)).toBe('failed');
  expect((await workshop.job(submitted)).state_reason).toBe('input "tape" is not stored here');
});

it('an output that has lost its end is no part of any answer', async () => {
  const jobId = await aSettledJob('the first line\nthe second\n');
  await truncate(contentPath('the first line\nthe second\n'), 15);
  await expect(fold(jobId)).rejects.toThrow('ended 11 bytes early');
  expect(await workshop.job(jobId)).toMatchObject({
    state: 'assimilating',
    state_reason: expect.stringMatching(UNREADABLE) as unknown,
  });
});
