import { job as jobSchema, LIMITS, type Job } from '@gleaner/protocol';
import { RUNTIME_VERSION } from '@gleaner/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import { anApprovedApp, type Science } from '../e2e/volunteering/science.js';
import { createTestApplication, createVolunteer, type TestApplication, TestHost } from '../support/index.js';

/** Takes minutes to split: whatever happens within a test happens while it is split. */
const HUGE = { kind: 'range' as const, name: 'k', from: 0, to: LIMITS.unitsPerJob, step: 1 };
const WAIT = { timeout: 120_000, interval: 100 };

let gleaner: TestApplication;
let science: Science;
beforeAll(async () => {
  gleaner = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
  science = await anApprovedApp(gleaner, 'hello', helloModule('hello\n').original);
});
afterAll(() => gleaner.close());

describe('a job that is still being split', () => {
  it('has its first units computed, pauses and goes on, and is cancelled midway', async () => {
    const { token } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'Ada');
    const host = await TestHost.attach(gleaner.url, { token });
    const body = { project: science.project, spec: { name: 'huge', app: science.app, split: [HUGE] } };
    const { id } = jobSchema.parse((await science.scientist.post('/v1/jobs', body).expect(202)).body);
    const look = async (): Promise<Job> =>
      jobSchema.parse((await science.scientist.get(`/v1/jobs/${id}`).expect(200)).body);
    const change = async (action: 'pause' | 'resume' | 'cancel'): Promise<Job> =>
      jobSchema.parse((await science.scientist.post(`/v1/jobs/${id}/${action}`).expect(200)).body);

    const work = { runtimeVersions: [RUNTIME_VERSION], request: { maxTasks: 1, memoryMiB: 4096, cores: 4 } };
    await expect
      .poll(async () => (await host.work(work)).tasks.map(({ jobId }) => jobId), WAIT)
      .toEqual([id]);
    const splitting = await look();
    expect(splitting.state).toBe('splitting');
    expect(splitting.units.total).toBeLessThan(HUGE.to);

    const paused = await change('pause');
    expect(paused.state).toBe('paused');
    // A batch that was being written counts, or is taken back; then there is nothing more.
    await expect.poll(() => isSplitting(id), WAIT).toBe(false);
    const { units } = await look();
    expect((await change('resume')).state).toBe('splitting');
    await expect.poll(async () => (await look()).units.total, WAIT).toBeGreaterThan(units.total);

    const cancelled = await change('cancel');
    expect(cancelled).toMatchObject({ state: 'cancelled', units: { open: 0, blocked: 0 } });
    expect(cancelled.units.cancelled).toBe(cancelled.units.total);
    await expect.poll(() => openUnits(id), WAIT).toBe(0);
    expect((await look()).units.total).toBeLessThan(HUGE.to);
  }, 600_000);
});

async function openUnits(jobId: string): Promise<number> {
  const open: unknown[] = await gleaner.dataSource.query(
    "SELECT FROM work_unit WHERE job_id = $1 AND state = 'open' LIMIT 1",
    [jobId],
  );
  return open.length;
}

/** Whether a batch of the job is just being written: its row is then locked. */
async function isSplitting(jobId: string): Promise<boolean> {
  const free: unknown[] = await gleaner.dataSource.query(
    'SELECT FROM job WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED',
    [jobId],
  );
  return free.length === 0;
}
