import { Injectable } from '@nestjs/common';
import type { StatisticsHistory, StatisticsQuery } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { SharedAnswers } from './shared-answers.js';

const FRESHNESS_MS = 5_000;
const CACHED_ANSWERS = 20;

const count = z.coerce.number().int();
const pointRows = z.array(
  z.object({
    starts_at: z.date(),
    cycles: z.string(),
    tasks: count,
    units: count,
    hosts: count,
    saved_bytes: z.string(),
  }),
);

/** The latest buckets, oldest first; hours and days in which nothing was earned are there with zeros. */
const HISTORY_SQL = `
  SELECT point AS starts_at, trunc(coalesce(b.cycles, 0))::text AS cycles, coalesce(b.tasks, 0) AS tasks,
         coalesce(b.units, 0) AS units, coalesce(b.hosts, 0) AS hosts, trunc(coalesce(b.saved_bytes, 0))::text AS saved_bytes
    FROM generate_series(date_trunc($1, now(), 'UTC') - ($2 - 1) * ('1 ' || $1)::interval,
                         date_trunc($1, now(), 'UTC'), ('1 ' || $1)::interval) point
    LEFT JOIN statistics_bucket b ON b.grain = $1 AND b.starts_at = point
   ORDER BY point`;

@Injectable()
export class StatisticsHistories {
  private readonly answers = new SharedAnswers<StatisticsHistory>(CACHED_ANSWERS, FRESHNESS_MS);

  constructor(private readonly dataSource: DataSource) {}

  get({ grain, points }: StatisticsQuery): Promise<StatisticsHistory> {
    return this.answers.get(`${grain} ${points}`, async () => {
      const rows = pointRows.parse(await this.dataSource.query(HISTORY_SQL, [grain, points]));
      return {
        grain,
        points: rows.map((row) => ({
          startsAt: row.starts_at.toISOString(),
          // Credit that was taken back may have been granted before.
          cycles: row.cycles.startsWith('-') ? '0' : row.cycles,
          tasks: Math.max(0, row.tasks),
          units: row.units,
          hosts: row.hosts,
          savedBytes: row.saved_bytes,
        })),
      };
    });
  }
}
