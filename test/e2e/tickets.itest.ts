import {
  ClaimDesk,
  type DispatchData,
  dispatchQueueName,
  FillService,
  hotPool,
  QueueService,
  saveDecided,
  TicketFeeder,
  UnitReader,
} from '@gleaner/coordinator';
import { transitionUnit } from '@gleaner/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DispatchFixture, type SeededJob } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

function ticketsOf({ jobId }: SeededJob): Promise<object[]> {
  return dispatch.query('SELECT ticketed, ticketed_at FROM work_unit WHERE job_id = $1', [jobId]);
}

describe('the tickets of a unit', () => {
  it('are made once by two coordinators that fill at the same moment', async () => {
    const job = await dispatch.aJob({ state: 'paused' });
    await using rival = await dispatch.rivalHolding(
      'UPDATE work_unit SET ticketed = wanted, ticketed_at = now() WHERE id = $1',
      [job.firstUnitId],
    );
    await dispatch.query("UPDATE job SET state = 'running' WHERE id = $1", [job.jobId]);
    const filled = dispatch.gleaner.app.get(FillService).fill();
    await rival.isWaitedFor();
    await rival.commit();
    expect(await filled).toBe(0);
  });

  it('are not made anew by a sweep while they wait on a queue, however long', async () => {
    const job = await dispatch.aJob({ state: 'paused' });
    const at = new Date(Date.now() - 3_600_000);
    await dispatch.query('UPDATE work_unit SET ticketed = wanted, ticketed_at = $2 WHERE id = $1', [
      job.firstUnitId,
      at,
    ]);
    const { app } = dispatch.gleaner;
    for (let lane = 0; lane < app.get(TicketFeeder).store.laneCount; lane += 1) {
      const waiting: DispatchData = { at: at.getTime(), units: [[job.firstUnitId, lane, job.jobId]] };
      await app.get(QueueService).queue<DispatchData>(dispatchQueueName('agent-64', lane)).add(waiting);
    }
    await dispatch.query("UPDATE job SET state = 'running' WHERE id = $1", [job.jobId]);
    await dispatch.sweep();
    expect(await ticketsOf(job)).toEqual([{ ticketed: 2, ticketed_at: at }]);
  });

  it('that were dropped while it was settled are made anew with the decision that opens it again', async () => {
    const job = await dispatch.aJob();
    await dispatch.query('UPDATE job SET units_split = 2 WHERE id = $1', [job.jobId]);
    const hosts = [await dispatch.aHost(), await dispatch.aHost()];
    await dispatch.contribute(...hosts);
    await dispatch.becomes(job, 'valid');
    // A third task was wanted when the second result came.
    await dispatch.query('UPDATE work_unit SET wanted = 3, ticketed = 3 WHERE id = $1', [job.firstUnitId]);
    const { app, config, dataSource } = dispatch.gleaner;
    const loaded = await app.get(UnitReader).load([job.firstUnitId]);
    const [unit] = loaded.units;
    if (!unit) throw new Error('the unit is gone');
    const [personId = '', formerPersonId = ''] = hosts.map(({ attached }) => attached.accountId);
    const linked = { kind: 'accounts-linked', personId, formerPersonId } as const;
    const { decision } = transitionUnit(unit.view, linked, unit.rules, Date.now());
    const connection = await hotPool(dataSource).connect();
    try {
      await connection.query('BEGIN');
      await saveDecided(connection, [{ unit, decision }], loaded, config.allowance);
      const { rows } = await connection.query(
        'SELECT state, ticketed, ticketed_at FROM work_unit WHERE id = $1',
        [job.firstUnitId],
      );
      expect(rows).toEqual([{ state: 'open', ticketed: 2, ticketed_at: null }]);
    } finally {
      await connection.query('ROLLBACK');
      connection.release();
    }
  });

  it('that it does not ask for, as queues keep them when an older backup is restored, become nothing', async () => {
    const job = await dispatch.aJob();
    const { hostId, accountId } = (await dispatch.aHost()).attached;
    const claimer = { hostId, accountId, personId: accountId, anonymous: false, network: null };
    const claim = {
      unitId: job.firstUnitId,
      creditEligible: true,
      mayDepend: false,
      distinct: 'account' as const,
      claimer: { ...claimer, cap: 8, leaseMs: 60_000 },
    };
    const [answer] = await dispatch.gleaner.app.get(ClaimDesk).claim([{ ...claim, ordinal: 2 }]);
    expect(answer?.refusal).toBe('gone');
  });
});
