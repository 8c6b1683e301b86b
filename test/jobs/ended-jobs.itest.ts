import { ValidationService } from '@gleaner/coordinator';
import type { UnitEvent } from '@gleaner/domain';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { DispatchFixture } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

const LINKED: UnitEvent = { kind: 'accounts-linked', personId: '', formerPersonId: '' };

it('a unit whose volunteers turn out to be one person stays settled where its job ends at the same moment', async () => {
  const { jobId, firstUnitId } = await dispatch.aJob();
  // One more is to come: nobody folds the job before its time.
  await dispatch.query('UPDATE job SET units_split = 2 WHERE id = $1', [jobId]);
  const hosts = [await dispatch.aHost(), await dispatch.aHost()];
  const stateOf = async (unitId: number): Promise<unknown> =>
    await dispatch.query('SELECT state FROM work_unit WHERE id = $1', [unitId]);
  await dispatch.contribute(...hosts);
  await vi.waitFor(async () => expect(await stateOf(firstUnitId)).toEqual([{ state: 'valid' }]), {
    timeout: 20_000,
  });
  const [first, second] = hosts.map(({ attached }) => attached.accountId);
  await dispatch.query('UPDATE account SET person_id = $2 WHERE id IN ($1, $2)', [first, second]);

  await using rival = await dispatch.rivalHolding("UPDATE job SET state = 'completed' WHERE id = $1", [
    jobId,
  ]);
  const reviewing = dispatch.gleaner.app.get(ValidationService).apply(new Map([[firstUnitId, LINKED]]));
  await rival.isWaitedFor();
  await rival.commit();
  await reviewing;
  expect(await stateOf(firstUnitId)).toEqual([{ state: 'valid' }]);
});
