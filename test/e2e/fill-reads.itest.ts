import { dataSourceOptions, FillService, hotPool, JobDirectory, QueueService } from '@gleaner/coordinator';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestApplication, createVolunteer, seedJob, type TestApplication } from '../support/index.js';

const PARTITIONS = 50;
const LARGE_JOB_UNITS = 30_000;
/** Rows of units and of their indexes that a filling may read: those it takes and looks at, and what they were before. */
const READS_MAX = 20_000;

const readRows = z.tuple([z.object({ reads: z.coerce.number() })]);

describe('filling the queues from a job of many units', () => {
  let gleaner: TestApplication;
  let accountId: string;
  let alone: DataSource;
  let filler: FillService;

  beforeAll(async () => {
    // Nobody fills or counts besides.
    gleaner = await createTestApplication({ env: { GLEANER_ROLE: 'api' } });
    await gleaner.dataSource.query('SELECT make_unit_partitions($1)', [PARTITIONS * 2 ** 22]);
    ({ accountId } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'scientist'));
    const { url } = gleaner.dataSource.options as { url: string }; // `as`: those of Postgres, as the coordinator made them
    alone = await new DataSource(dataSourceOptions({ url, connections: 1 })).initialize();
    filler = new FillService(alone, gleaner.app.get(QueueService), new JobDirectory(alone), {
      lanes: 1,
      allowSameNetwork: true,
    });
  });
  afterAll(async () => {
    await hotPool(alone).end();
    await alone.destroy();
    await gleaner.close();
  });

  /** Each test has a class of units, and so queues, of its own. */
  async function aJob(units: number, memoryMiB: number): Promise<void> {
    await seedJob(gleaner.dataSource, { units, accountId, memoryMiB });
  }

  /** By the filler's own connection, which it uses one after the other. */
  async function reads(): Promise<number> {
    await hotPool(alone).query('SELECT pg_stat_force_next_flush()');
    const { rows } = await hotPool(alone).query(
      `SELECT (SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables WHERE relname LIKE 'work\\_unit\\_p%')
            + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE 'work\\_unit\\_p%') AS reads`,
    );
    return readRows.parse(rows)[0].reads;
  }

  async function readsOfAFilling(): Promise<number> {
    const before = await reads();
    expect(await filler.fill()).toBeGreaterThan(0);
    return (await reads()) - before;
  }

  it('reads as many as it takes while statistics do not know them yet', async () => {
    await aJob(5_000, 64);
    await gleaner.dataSource.query('UPDATE work_unit SET ticketed = wanted, ticketed_at = now()');
    await gleaner.dataSource.query('ANALYZE work_unit');
    await aJob(LARGE_JOB_UNITS, 64);
    expect(await readsOfAFilling()).toBeLessThan(READS_MAX);
  });

  it('reads as many as it takes to share what waits among jobs', async () => {
    await aJob(1, 128);
    await aJob(LARGE_JOB_UNITS, 128);
    await gleaner.dataSource.query('ANALYZE work_unit');
    expect(await readsOfAFilling()).toBeLessThan(READS_MAX);
  });
});
