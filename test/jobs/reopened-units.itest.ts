import { createHash } from 'node:crypto';
import { Assimilator, ValidationService } from '@gleaner/coordinator';
import type { UnitEvent } from '@gleaner/domain';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DispatchFixture, resultWith, type TestHost } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

const LINKED: UnitEvent = { kind: 'accounts-linked', personId: '', formerPersonId: '' };

async function say(text: string, ...hosts: readonly TestHost[]): Promise<void> {
  for (const host of hosts) await host.report(resultWith(await dispatch.aTask(host), Buffer.from(text)));
}

it('a unit that opens again while its job is folded is computed at once, and its new answer counts', async () => {
  const job = await dispatch.aJob();
  const jobId = String(job.jobId);
  // One more is to come: nobody folds the job before its time.
  await dispatch.query('UPDATE job SET units_split = 2 WHERE id = $1', [jobId]);
  const liars = [await dispatch.aHost(), await dispatch.aHost()];
  await say('lie', ...liars);
  await dispatch.becomes(job, 'valid');

  const assimilator = dispatch.gleaner.app.get(Assimilator);
  const storing = dispatch.gleaner.dataSource.createQueryRunner();
  const lock = [`blob ${createHash('sha256').update('lie').digest('hex')}`];
  await storing.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', lock);
  await dispatch.query('UPDATE job SET units_split = 1 WHERE id = $1', [jobId]);
  const folding = assimilator.assimilate(jobId);
  try {
    await dispatch.isWaitedFor(storing);
    const [first, second] = liars.map(({ attached }) => attached.accountId);
    await dispatch.query('UPDATE account SET person_id = $2 WHERE id IN ($1, $2)', [first, second]);
    await dispatch.gleaner.app.get(ValidationService).apply(new Map([[job.firstUnitId, LINKED]]));
    await say('truth', await dispatch.aHost(), await dispatch.aHost());
    await dispatch.becomes(job, 'valid');
  } finally {
    await storing.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock);
    await storing.release();
  }
  expect(await folding).toBe('not-ready');

  const answer = async (): Promise<unknown> =>
    await dispatch.query("SELECT state, encode(output_sha256, 'hex') AS output FROM job WHERE id = $1", [
      jobId,
    ]);
  await expect
    .poll(answer)
    .toEqual([{ state: 'completed', output: createHash('sha256').update('truth').digest('hex') }]);
});
