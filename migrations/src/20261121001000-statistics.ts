import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was earned in every hour and day, so that a chart reads rows and not the ledger. */
export class Statistics20261121001000 implements MigrationInterface {
  readonly name = 'Statistics20261121001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE statistics_bucket (
        grain text NOT NULL CONSTRAINT statistics_bucket_grain CHECK (grain IN ('hour', 'day')),
        -- The beginning, in UTC.
        starts_at timestamptz NOT NULL,
        cycles numeric NOT NULL DEFAULT 0,
        tasks bigint NOT NULL DEFAULT 0,
        -- Units whose first credit was granted then.
        units bigint NOT NULL DEFAULT 0,
        hosts bigint NOT NULL DEFAULT 0,
        saved_bytes numeric NOT NULL DEFAULT 0,
        PRIMARY KEY (grain, starts_at)
      ) WITH (fillfactor = 70);
      -- Which hosts have been counted: bit n of hours is the hour n of that day. Emptied when the day is over.
      CREATE TABLE statistics_host (
        day date NOT NULL,
        host_id bigint NOT NULL,
        hours integer NOT NULL,
        PRIMARY KEY (day, host_id)
      ) WITH (fillfactor = 70);
      -- One row: everything before counted_to is in the buckets, and the days before closed_to were counted a last time.
      CREATE TABLE statistics_cursor (
        id boolean PRIMARY KEY DEFAULT true CONSTRAINT statistics_cursor_one CHECK (id),
        counted_to timestamptz NOT NULL,
        closed_to date NOT NULL,
        saved_bytes numeric NOT NULL DEFAULT 0
      );
      INSERT INTO statistics_cursor (counted_to, closed_to)
      SELECT date_trunc('hour', since, 'UTC'), (since AT TIME ZONE 'UTC')::date
        FROM (SELECT coalesce(min(granted_at), now()) AS since FROM credit_entry) first;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE statistics_cursor, statistics_host, statistics_bucket;');
  }
}
