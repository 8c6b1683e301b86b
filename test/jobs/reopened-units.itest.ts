import { Assimilator, ValidationService } from '@gleaner/coordinator';
import type { UnitEvent } from '@gleaner/domain';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DispatchFixture, resultWith, Rival, sha256, type TestHost } from '../support/index.js';

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
  await using rival = await Rival.storing(dispatch.gleaner.dataSource, sha256('lie'));
  await dispatch.query('UPDATE job SET units_split = 1 WHERE id = $1', [jobId]);
  const folding = assimilator.assimilate(jobId);
  await rival.isWaitedForBy(1);
  const [first, second] = liars.map(({ attached }) => attached.accountId);
  await dispatch.query('UPDATE account SET person_id = $2 WHERE id IN ($1, $2)', [first, second]);
  await dispatch.gleaner.app.get(ValidationService).apply(new Map([[job.firstUnitId, LINKED]]));
  await say('truth', await dispatch.aHost(), await dispatch.aHost());
  await dispatch.becomes(job, 'valid');
  await rival.commit();
  expect(await folding).toBe('not-ready');

  const answer = async (): Promise<unknown> =>
    await dispatch.query("SELECT state, encode(output_sha256, 'hex') AS output FROM job WHERE id = $1", [
      jobId,
    ]);
  await expect.poll(answer).toEqual([{ state: 'completed', output: sha256('truth') }]);
});
