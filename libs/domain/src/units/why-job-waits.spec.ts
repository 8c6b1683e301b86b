import { expect, it } from 'vitest';
import { type JobCircumstances, whyJobWaits } from './why-job-waits.js';

const WELL: JobCircumstances = {
  state: 'running',
  app: 'words@1',
  isAppApproved: true,
  workersGoneSince: null,
  queueTrouble: null,
};

it('says nothing of a job that only needs time', () => {
  expect(whyJobWaits(WELL)).toBeNull();
});

it('names what is in the way of all jobs before what is in the way of this one', () => {
  const unapproved = { ...WELL, isAppApproved: false };
  expect(whyJobWaits(unapproved)).toMatch(/^words@1 is not approved/);
  const stuck = { ...unapproved, queueTrouble: 'it does not answer' };
  expect(whyJobWaits(stuck)).toMatch(/queue.* is in trouble: it does not answer$/);
  const left = { ...stuck, workersGoneSince: new Date('2026-11-21T12:00:00Z') };
  expect(whyJobWaits(left)).toMatch(/worker.* has not been at work since 2026-11-21T12:00:00.000Z$/);
});

it('names for a job whose units are all settled only what putting its answer together needs', () => {
  const folding: JobCircumstances = { ...WELL, state: 'assimilating', isAppApproved: false };
  expect(whyJobWaits(folding)).toBeNull();
  expect(whyJobWaits({ ...folding, queueTrouble: 'it does not answer' })).toMatch(/queue/);
});

it.each(['paused', 'completed', 'failed', 'cancelled'] as const)(
  'says nothing of a job that is %s',
  (state) => {
    const workersGoneSince = new Date();
    const queueTrouble = 'it does not answer';
    expect(whyJobWaits({ ...WELL, state, isAppApproved: false, workersGoneSince, queueTrouble })).toBeNull();
  },
);
