import { createHash } from 'node:crypto';
import { Assimilator, JobSplitter } from '@gleaner/coordinator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { JobWorkshop } from './job-workshop.js';

let workshop: JobWorkshop;
beforeAll(async () => {
  workshop = await JobWorkshop.open();
});
afterAll(() => workshop.close());

it('a job whose answer is stored is completed, whatever became of the lock meanwhile', async () => {
  const jobId = await workshop.submit({ split: [{ kind: 'range', name: 'k', from: 0, to: 1, step: 1 }] });
  await workshop.get(JobSplitter).split(jobId);
  for (const { id } of await workshop.units(jobId)) await workshop.settle(id, [{ text: 'all of it\n' }]);
  const { dataSource } = workshop;
  const storing = dataSource.createQueryRunner();
  const blob = [`blob ${createHash('sha256').update('all of it\n').digest('hex')}`];
  await storing.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', blob);
  const folding = workshop.get(Assimilator).assimilate(jobId);
  try {
    const waiting =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await expect.poll(() => dataSource.query(waiting)).toHaveLength(1);
    const ended: unknown = await dataSource.query(
      `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'idle' AND query LIKE 'SELECT pg\\_try\\_advisory\\_lock%'`,
    );
    expect(ended).toEqual([{ ended: true }]);
  } finally {
    await storing.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', blob);
    await storing.release();
  }
  expect(await folding).toBe('completed');
  expect((await workshop.job(jobId)).state).toBe('completed');
});
