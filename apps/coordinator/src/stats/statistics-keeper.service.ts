import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AT_ONCE, type Pace } from '../database/index.js';
import { Stride } from './stride.js';

/** An entry's time is its transaction's beginning: what is younger than this may still be committing. */
const SETTLE_SECONDS = 15;
/** Slices counted by one queue job: an installation that was away for a year catches up within minutes. */
const SLICES_MAX = 500;
/** How much time is counted at once. */
const FIRST_STRIDE_MS = 1_000;
const STRIDE = { leastMs: 100, mostMs: 3_600_000, mostRows: 8_000 };
/** A day is counted a last time when nothing can be granted in it any more. */
const CLOSE_AFTER = '10 minutes';

/**
 * What was earned from `$1` to before `$2`, both within one hour of UTC, added to the hour and to its day. A unit counts where
 * its first credit was granted, a host once an hour and once a day.
 */
const COUNT_SQL = `
  WITH entry AS MATERIALIZED (
    SELECT unit_id, host_id, cycles, sequence % 2 = 1 AS is_reversal FROM credit_entry WHERE granted_at >= $1 AND granted_at < $2
  ), slice AS (
    SELECT date_trunc('hour', $1::timestamptz, 'UTC') AS hour, date_trunc('day', $1::timestamptz, 'UTC') AS day,
           ($1::timestamptz AT TIME ZONE 'UTC')::date AS date,
           1 << extract(hour FROM $1::timestamptz AT TIME ZONE 'UTC')::int AS bit
  ), host AS (
    SELECT DISTINCT host_id FROM entry WHERE NOT is_reversal
  ), known AS (
    SELECT count(*) AS today, count(*) FILTER (WHERE k.hours & slice.bit <> 0) AS this_hour
      FROM slice JOIN statistics_host k ON k.day = slice.date JOIN host USING (host_id)
  ), noted AS (
    INSERT INTO statistics_host AS k (day, host_id, hours)
    SELECT slice.date, host_id, slice.bit FROM slice CROSS JOIN host
     WHERE NOT EXISTS (SELECT FROM statistics_host h
                        WHERE h.day = slice.date AND h.host_id = host.host_id AND h.hours & slice.bit <> 0)
     ORDER BY host_id
    ON CONFLICT (day, host_id) DO UPDATE SET hours = k.hours | excluded.hours
  ), sums AS (
    SELECT sum(cycles) AS cycles, sum(CASE WHEN is_reversal THEN -1 ELSE 1 END) AS tasks,
           (SELECT count(*) FROM (SELECT DISTINCT unit_id FROM entry WHERE NOT is_reversal) e
             WHERE (SELECT min(granted_at) FROM credit_entry f WHERE f.unit_id = e.unit_id AND f.sequence = 0) >= $1) AS units,
           (SELECT count(*) FROM host) AS hosts
      FROM entry HAVING count(*) > 0
  ), counted AS (
  INSERT INTO statistics_bucket AS b (grain, starts_at, cycles, tasks, units, hosts)
  SELECT 'hour', slice.hour, cycles, tasks, units, hosts - known.this_hour FROM slice, known, sums
   UNION ALL
  SELECT 'day', slice.day, cycles, tasks, units, hosts - known.today FROM slice, known, sums
  ON CONFLICT (grain, starts_at) DO UPDATE
     SET cycles = b.cycles + excluded.cycles, tasks = b.tasks + excluded.tasks,
         units = b.units + excluded.units, hosts = b.hosts + excluded.hosts
  )
  SELECT count(*)::integer AS entries FROM entry`;

/** What the installation's total has grown by since it was looked at last belongs to this hour. */
const SAVED_SQL = `
  WITH cursor AS (
    SELECT saved_bytes FROM statistics_cursor FOR UPDATE
  ), grown AS (
    SELECT total.bytes AS total, total.bytes - cursor.saved_bytes AS bytes
      FROM cursor, (SELECT coalesce(sum(saved_bytes), 0) AS bytes FROM input_traffic) total
  ), noted AS (
    UPDATE statistics_cursor SET saved_bytes = grown.total FROM grown
  )
  INSERT INTO statistics_bucket AS b (grain, starts_at, saved_bytes)
  SELECT grain, date_trunc(grain, now(), 'UTC'), bytes FROM grown, unnest(ARRAY['hour', 'day']) grain WHERE bytes > 0
  ON CONFLICT (grain, starts_at) DO UPDATE SET saved_bytes = b.saved_bytes + excluded.saved_bytes`;

/** How far everything has settled, but no further than `$1`. */
const SETTLED_SQL = `SELECT least(now() - interval '${SETTLE_SECONDS} seconds', $1::timestamptz) AS settled`;

/** The next slice for the cursor: `$2` milliseconds, but no further than to the end of its hour or to `$1`. */
const NEXT_SLICE_SQL = `
  SELECT counted_to AS start,
         least(date_trunc('hour', counted_to, 'UTC') + interval '1 hour', $1::timestamptz,
               counted_to + $2 * interval '1 millisecond') AS "end"
    FROM statistics_cursor FOR UPDATE`;

/** Hours of the day `$1` as far as they have been counted. */
const HOURS_OF_DAY_SQL = `
  SELECT hour AS start, least(hour + interval '1 hour', counted_to) AS "end"
    FROM statistics_cursor, generate_series($1::timestamp AT TIME ZONE 'UTC',
           ($1::timestamp + interval '23 hours') AT TIME ZONE 'UTC', interval '1 hour') hour
   WHERE hour < counted_to ORDER BY hour`;

const slices = z.array(z.object({ start: z.date(), end: z.date() }));
type Slice = z.infer<typeof slices>[number];
const settledRows = z.tuple([z.object({ settled: z.date() })]);
const countedRows = z.tuple([z.object({ entries: z.number() })]);
const days = z.array(z.object({ day: z.string() }));

/**
 * Keeps the hours and days of the statistics. Counting is incremental: each slice of time is added once, with the cursor that
 * says how far. Counting a day again gives the same figures from the ledger, and what a slow transaction had hidden.
 */
@Injectable()
export class StatisticsKeeper {
  private readonly stride = new Stride(FIRST_STRIDE_MS, STRIDE);

  constructor(private readonly dataSource: DataSource) {}

  /** Adds what was earned since the last time and before `until`. */
  async count(until?: Date, pace: Pace = AT_ONCE): Promise<void> {
    await this.dataSource.query(SAVED_SQL);
    // Once for all slices: the time that settles meanwhile is for the next run, or this one would chase it.
    const [{ settled }] = settledRows.parse(await this.dataSource.query(SETTLED_SQL, [until ?? null]));
    for (let slice = 0; slice < SLICES_MAX; slice += 1) {
      const entries = await pace.portion(() =>
        this.dataSource.transaction((manager) => countNextSlice(manager, settled, this.stride.ms)),
      );
      if (entries === null) return;
      this.stride.learn(entries);
    }
  }

  /** Counts a day of UTC, such as `2026-11-21`, from the ledger as if it had never been counted. */
  async recount(day: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await manager.query('SELECT FROM statistics_cursor FOR UPDATE');
      await recountDay(manager, day);
    });
  }

  /** Counts the days that are over a last time, and forgets which hosts were in them. */
  async closeDays(): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const ended = days.parse(
        await manager.query(
          `SELECT to_char(day, 'YYYY-MM-DD') AS day FROM (SELECT * FROM statistics_cursor FOR UPDATE) c,
                  generate_series(c.closed_to::timestamp, (c.counted_to - interval '${CLOSE_AFTER}') AT TIME ZONE 'UTC'
                                               - interval '1 day', interval '1 day') day
            ORDER BY 1 LIMIT ${SLICES_MAX}`,
        ),
      );
      for (const { day } of ended) {
        await recountDay(manager, day);
        await manager.query('DELETE FROM statistics_host WHERE day = $1', [day]);
        await manager.query('UPDATE statistics_cursor SET closed_to = $1::date + 1', [day]);
      }
    });
  }
}

/** @returns entries of the slice; null: there was nothing left to count */
async function countNextSlice(
  manager: EntityManager,
  settled: Date,
  strideMs: number,
): Promise<number | null> {
  const [slice] = slices.parse(await manager.query(NEXT_SLICE_SQL, [settled, strideMs]));
  if (!slice || slice.end <= slice.start) return null;
  const entries = await countSlice(manager, slice);
  await manager.query('UPDATE statistics_cursor SET counted_to = $1', [slice.end]);
  return entries;
}

async function recountDay(manager: EntityManager, day: string): Promise<void> {
  await manager.query('DELETE FROM statistics_host WHERE day = $1', [day]);
  await manager.query(
    `UPDATE statistics_bucket SET cycles = 0, tasks = 0, units = 0, hosts = 0
      WHERE starts_at >= $1::timestamp AT TIME ZONE 'UTC' AND starts_at < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'`,
    [day],
  );
  for (const slice of slices.parse(await manager.query(HOURS_OF_DAY_SQL, [day]))) {
    await countSlice(manager, slice);
  }
}

async function countSlice(manager: EntityManager, { start, end }: Slice): Promise<number> {
  const [{ entries }] = countedRows.parse(await manager.query(COUNT_SQL, [start, end]));
  return entries;
}
