import { Assimilator, JobSplitter } from '@gleaner/coordinator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rival, sha256 } from '../support/index.js';
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
  await using rival = await Rival.storing(dataSource, sha256('all of it\n'));
  const folding = workshop.get(Assimilator).assimilate(jobId);
  await rival.isWaitedForBy(1);
  const ended: unknown = await dataSource.query(
    `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'idle' AND query LIKE 'SELECT pg\\_try\\_advisory\\_lock%'`,
  );
  expect(ended).toEqual([{ ended: true }]);
  await rival.commit();
  expect(await folding).toBe('completed');
  expect((await workshop.job(jobId)).state).toBe('completed');
});

it('the answer of a job that is cancelled while it is folded is not stored', async () => {
  const texts = ['nobody asks ', 'for it\n'];
  const jobId = await workshop.submit({ split: [{ kind: 'range', name: 'k', from: 0, to: 2, step: 1 }] });
  await workshop.get(JobSplitter).split(jobId);
  for (const { id, index_in_job } of await workshop.units(jobId))
    await workshop.settle(id, [{ text: texts[index_in_job] ?? '' }]);
  const { dataSource } = workshop;
  await using rival = await Rival.holding(dataSource, 'LOCK TABLE task');
  const folding = workshop.get(Assimilator).assimilate(jobId);
  await rival.isWaitedForBy(1);
  await workshop.cancel(jobId);
  await rival.commit();
  expect(await folding).toBe('not-ready');
  const stored = "SELECT FROM blob WHERE sha256 = decode($1, 'hex')";
  expect(await dataSource.query(stored, [sha256(texts.join(''))])).toEqual([]);
});
