import {
  type DispatchData,
  dispatchQueueName,
  FillService,
  QueueService,
  TicketFeeder,
} from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DispatchFixture } from '../support/index.js';

/** Fillings that would each make the queues twice as deep, and tickets that they may hold at the most all the same. */
const FILLINGS = 8;
const FEW_TICKETS = 2_000;

describe('the depth of the queues', () => {
  let fixture: DispatchFixture;
  beforeAll(async () => {
    fixture = await DispatchFixture.start();
  });
  afterAll(() => fixture.close());

  it('stays small while nobody takes tickets, also where rests of queue jobs are the first on them', async () => {
    const { jobId, firstUnitId } = await fixture.aJob({ units: 20_000, state: 'paused' });
    const { app } = fixture.gleaner;
    const queues = app.get(QueueService);
    for (let lane = 0; lane < app.get(TicketFeeder).store.laneCount; lane += 1) {
      const rest: DispatchData = { at: Date.now(), units: [[firstUnitId, 0, jobId]], returned: true };
      await queues.queue<DispatchData>(dispatchQueueName('agent-64', lane)).add(rest);
    }
    await fixture.query("UPDATE job SET state = 'running' WHERE id = $1", [jobId]);
    const filler = app.get(FillService);
    for (let filling = 0; filling < FILLINGS; filling += 1) await filler.fill();
    const [row] = await fixture.query<{ tickets: number }>(
      'SELECT sum(ticketed)::int AS tickets FROM work_unit WHERE job_id = $1',
      [jobId],
    );
    expect(row?.tickets).toBeGreaterThan(0);
    expect(row?.tickets).toBeLessThan(FEW_TICKETS);
  });
});
