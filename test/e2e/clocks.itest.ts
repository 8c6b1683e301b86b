import { createLogger } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DispatchFixture, freePort, type TestHost } from '../support/index.js';
import { CoordinatorProcess } from './chaos-support.js';

const DAY_MS = 86_400_000;

/** What a machine's clock that is a day ahead tells Node. */
const AHEAD = `
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...parts) { if (parts.length > 0) super(...parts); else super(Real.now() + ${DAY_MS}); }
    static now() { return Real.now() + ${DAY_MS}; }
  };`;

describe('beside a coordinator whose clock is a day ahead', () => {
  let dispatch: DispatchFixture;
  let ahead: CoordinatorProcess;
  const logger = createLogger('silent');
  const warn = vi.spyOn(logger, 'warn');
  beforeAll(async () => {
    dispatch = await DispatchFixture.start({}, { logger });
    const { databaseUrl, redisUrl, dataDir } = dispatch.gleaner.config;
    ahead = new CoordinatorProcess(await freePort(), {
      GLEANER_DATA: dataDir,
      GLEANER_LOG_LEVEL: process.env['GLEANER_TEST_LOG'] ?? 'silent',
      GLEANER_TRUST_PROXY: '1',
      DATABASE_URL: databaseUrl ?? '',
      ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(AHEAD)}`,
    });
    await ahead.start();
  });
  afterAll(async () => {
    await ahead.stop();
    await dispatch.close();
  });

  async function refusalOf(host: TestHost, url: string): Promise<string[]> {
    host.url = url;
    const { tasks, noWork } = await host.ask(1, 4096, 1);
    expect(tasks).toEqual([]);
    return noWork.map(({ code }) => code);
  }

  it('the operator is told that the clocks differ', async () => {
    const told = (): unknown[] => warn.mock.calls.flat();
    await expect
      .poll(told, { timeout: 60_000 })
      .toContainEqual(expect.stringMatching(/^another coordinator's clock is \d{5} s ahead of this one's/));
  });

  it('a host has its allowance once a day', async () => {
    await dispatch.aJob({ units: 4 });
    const host = await dispatch.aHost();
    await host.work();
    await dispatch.query('UPDATE host_standing SET allowance_per_day = 1 WHERE host_id = $1', [
      host.attached.hostId,
    ]);
    await dispatch.aTask(host);
    for (const url of [ahead.url, dispatch.gleaner.url, ahead.url])
      await expect.poll(() => refusalOf(host, url)).toEqual(['allowance-used']);
  });

  it('units go out when that one has gone', async () => {
    await ahead.stop();
    const job = await dispatch.aJob();
    await expect
      .poll(
        () => dispatch.query('SELECT FROM work_unit WHERE job_id = $1 AND ticketed_at IS NULL', [job.jobId]),
        {
          timeout: 60_000,
        },
      )
      .toEqual([]);
  });
});
