import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Leaderboards of every period, kept apart from the totals so that granting credit touches none of their indexes. */
export class Boards20261121000400 implements MigrationInterface {
  readonly name = 'Boards20261121000400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE EXTENSION IF NOT EXISTS pg_trgm;
      CREATE TABLE board_entry (
        kind text NOT NULL CONSTRAINT board_entry_kind CHECK (kind IN ('accounts', 'hosts')),
        id bigint NOT NULL,
        name text NOT NULL,
        -- The total that this row has taken in: what a later total exceeds it by was earned in between.
        cycles numeric NOT NULL,
        tasks bigint NOT NULL,
        -- Sum of cycles × 2^(days since 2026 / 7): all values decay alike, so their order does not change by waiting.
        recent double precision NOT NULL,
        day date NOT NULL,
        day_cycles numeric NOT NULL,
        week date NOT NULL,
        week_cycles numeric NOT NULL,
        month date NOT NULL,
        month_cycles numeric NOT NULL,
        PRIMARY KEY (kind, id)
      ) WITH (fillfactor = 70);
      CREATE INDEX board_entry_all ON board_entry (kind, cycles DESC, id);
      CREATE INDEX board_entry_recent ON board_entry (kind, recent DESC, id);
      CREATE INDEX board_entry_day ON board_entry (kind, day, day_cycles DESC, id);
      CREATE INDEX board_entry_week ON board_entry (kind, week, week_cycles DESC, id);
      CREATE INDEX board_entry_month ON board_entry (kind, month, month_cycles DESC, id);
      CREATE INDEX board_entry_name ON board_entry (kind, lower(name) text_pattern_ops);
      CREATE INDEX board_entry_name_part ON board_entry USING gin (lower(name) gin_trgm_ops);

      -- Every thousandth row of each board and the last: a page far down begins near one, not at the top.
      CREATE TABLE board_anchor (
        kind text NOT NULL,
        period text NOT NULL,
        rank bigint NOT NULL,
        value text NOT NULL,
        id bigint NOT NULL,
        PRIMARY KEY (kind, period, rank)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE board_anchor, board_entry; DROP EXTENSION pg_trgm;');
  }
}
