import { dataSourceOptions, JobCleaner, JobSplitter, JobSweep, QueueService } from '@gleaner/coordinator';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { JobWorkshop } from './job-workshop.js';

const countRows = z.tuple([z.object({ count: z.coerce.number() })]);

let workshop: JobWorkshop;
/** One connection, which tells what it has looked at. */
let alone: DataSource;
let sweep: JobSweep;
beforeAll(async () => {
  workshop = await JobWorkshop.open();
  const { url } = workshop.dataSource.options as { url: string }; // `as`: the options of Postgres, as the workshop made them
  alone = await new DataSource(dataSourceOptions({ url, connections: 1 })).initialize();
  sweep = new JobSweep(alone, workshop.get(QueueService));
});
afterAll(async () => {
  await alone.destroy();
  await workshop.close();
});

/** How often an index of units was looked into so far. */
async function looksAtUnits(): Promise<number> {
  await alone.query('SELECT pg_stat_force_next_flush()');
  const [{ count }] = countRows.parse(
    await alone.query(
      "SELECT coalesce(sum(idx_scan), 0) AS count FROM pg_stat_user_indexes WHERE relname LIKE 'work\\_unit\\_p%'",
    ),
  );
  return count;
}

async function aJobWithUnits(): Promise<string> {
  const jobId = await workshop.submit({});
  await workshop.get(JobSplitter).split(jobId);
  return jobId;
}

it('looks for units of no job that was put to rest, however many there are', async () => {
  const cancelled = await aJobWithUnits();
  await workshop.cancel(cancelled);
  const deleted = await aJobWithUnits();
  await workshop.dataSource.query(
    "UPDATE job SET state = 'cancelled', finished_at = now(), deleted_at = now() WHERE id = $1",
    [deleted],
  );
  expect(await sweep.sweep()).toBe(2);
  const before = await looksAtUnits();

  for (const jobId of [cancelled, deleted]) await workshop.get(JobCleaner).clean(jobId);
  expect(await workshop.count('work_unit', `job_id = ${deleted}`)).toBe(0);
  expect(await workshop.count('work_unit', `job_id = ${cancelled} AND state <> 'cancelled'`)).toBe(0);
  const after = await looksAtUnits();
  expect(await sweep.sweep()).toBe(0);
  expect([before > 0, (await looksAtUnits()) - after]).toEqual([true, 0]);
});
