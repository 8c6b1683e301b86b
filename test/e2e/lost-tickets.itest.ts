import {
  type DispatchData,
  dispatchQueueName,
  JobDirectory,
  QueueService,
  TicketFeeder,
} from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DispatchFixture, type SeededJob, seedJob } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

const PATIENCE = { timeout: 20_000 };

function becomes(job: SeededJob, state: 'running' | 'paused'): Promise<object[]> {
  return dispatch.query('UPDATE job SET state = $2 WHERE id = $1', [job.jobId, state]);
}

/** Its tickets went out an hour ago, and none of them became a task. */
async function ticketedLongAgo(job: SeededJob): Promise<Date> {
  const at = new Date(Date.now() - 3_600_000);
  await dispatch.query('UPDATE work_unit SET ticketed = wanted, ticketed_at = $2 WHERE job_id = $1', [
    job.jobId,
    at,
  ]);
  return at;
}

async function ticketsOf({ jobId }: SeededJob): Promise<object[]> {
  return dispatch.query('SELECT ticketed_at FROM work_unit WHERE job_id = $1', [jobId]);
}

async function queue(job: SeededJob, batch: Omit<DispatchData, 'units'>): Promise<void> {
  const { app } = dispatch.gleaner;
  for (let ordinal = 0; ordinal < 2; ordinal += 1) {
    const lane = (job.firstUnitId + ordinal) % app.get(TicketFeeder).store.laneCount;
    await app
      .get(QueueService)
      .queue<DispatchData>(dispatchQueueName('agent-64', lane))
      .add({ ...batch, units: [[job.firstUnitId, ordinal, job.jobId]] });
  }
}

describe('tickets', () => {
  it('that were taken for a request that failed are there for the next one', async () => {
    const job = await dispatch.aJob({ units: 4 });
    const host = await dispatch.aHost();
    const taken = [await dispatch.aTask(host)];
    const { app, dataSource } = dispatch.gleaner;
    await becomes(job, 'paused');
    await seedJob(dataSource, { units: 1, accountId: dispatch.scientist.accountId });
    await app.get(JobDirectory).refresh();
    await dispatch.query('ALTER TABLE job_tally RENAME TO job_tally_away');
    const listedBeforeMs = performance.now();
    try {
      // A ticket of an unknown job asks for a newer list, once this one is old enough.
      await expect.poll(() => performance.now() - listedBeforeMs).toBeGreaterThan(150);
      await expect(host.ask(8, 4096, 1)).rejects.toThrow(/500/u);
    } finally {
      await dispatch.query('ALTER TABLE job_tally_away RENAME TO job_tally');
    }
    await becomes(job, 'running');
    await app.get(JobDirectory).refresh();
    const isOfJob = ({ jobId }: { readonly jobId: string }): boolean => jobId === String(job.jobId);
    await expect
      .poll(async () => {
        taken.push(...(await host.ask(8, 4096, 1)).tasks.filter(isOfJob));
        return taken.length;
      }, PATIENCE)
      .toBe(4);
  });

  it('that come sooner than their job is known of are not taken for those of one that has ended', async () => {
    await dispatch.aJob();
    const host = await dispatch.aHost();
    await dispatch.aTask(host);
    const { app, dataSource } = dispatch.gleaner;
    const owner = { accountId: dispatch.scientist.accountId };
    const job = await seedJob(dataSource, { units: 1, state: 'paused', ...owner });
    await dispatch.query('UPDATE work_unit SET ticketed = wanted, ticketed_at = now() WHERE job_id = $1', [
      job.jobId,
    ]);
    await app.get(JobDirectory).refresh();
    // Another coordinator has seen that it runs, and put its tickets on the queue.
    await becomes(job, 'running');
    const units = [[job.firstUnitId, 0, job.jobId]] as const;
    void app.get(TicketFeeder).store.hold('agent-64', { at: Date.now(), units });
    const { tasks } = await host.ask(8, 4096, 1);
    expect(tasks).toContainEqual(expect.objectContaining({ jobId: String(job.jobId) }));
  });

  it('that are on no queue any more are made anew, while older ones wait for somebody else', async () => {
    const patient = await dispatch.aJob();
    const { dataSource } = dispatch.gleaner;
    const forgotten = await seedJob(dataSource, { units: 1, accountId: dispatch.scientist.accountId });
    for (const job of [patient, forgotten]) await becomes(job, 'paused');
    const at = await ticketedLongAgo(patient);
    await queue(patient, { at: at.getTime() - 60_000, returned: true });
    const lostAt = await ticketedLongAgo(forgotten);
    for (const job of [patient, forgotten]) await becomes(job, 'running');
    await dispatch.sweep();
    expect(await ticketsOf(patient)).toEqual([{ ticketed_at: at }]);
    expect(await ticketsOf(forgotten)).not.toEqual([{ ticketed_at: lostAt }]);
  });

  it('of a job that is paused are withdrawn when they are dropped: they come at once when it goes on', async () => {
    const paused = await dispatch.aJob({ units: 4 });
    const isOut = async (): Promise<boolean[]> =>
      (await ticketsOf(paused)).map((unit) => Reflect.get(unit, 'ticketed_at') !== null);
    await expect.poll(isOut, PATIENCE).toEqual([true, true, true, true]);
    // Others still have something of its class to ask for.
    await dispatch.aJob({ units: 400 });
    const host = await dispatch.aHost();
    await expect
      .poll(async () => {
        await host.ask(8, 4096, 1);
        return isOut();
      }, PATIENCE)
      .toEqual([false, false, false, false]);
  });
});
