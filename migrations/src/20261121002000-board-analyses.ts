import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows that make an analysis worth it, however many there are: a kind of board may have begun with them. */
const ANALYZE_AFTER_ROWS = 5_000;

/**
 * Boards are analysed as they grow. As long as the planner knows of no rows of a kind, it takes any index that begins with the kind
 * for as good as the key, and a look at one row reads the whole board: 3.7 s for 500 of 145,000 teams that came after a million
 * accounts and as many hosts. A sample of 3,000 rows may miss a kind of a few hundred, which costs as little as reading those.
 * Boards change every second, so that their vacuums take the longer pauses of dispatch's tables, too.
 */
export class BoardAnalyses20261121002000 implements MigrationInterface {
  readonly name = 'BoardAnalyses20261121002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      SELECT calm_upkeep('board_entry');
      ALTER TABLE board_entry SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = ${ANALYZE_AFTER_ROWS});
      ALTER TABLE board_name SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = ${ANALYZE_AFTER_ROWS});
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE board_name RESET (autovacuum_analyze_scale_factor, autovacuum_analyze_threshold);
      ALTER TABLE board_entry RESET (autovacuum_analyze_scale_factor, autovacuum_analyze_threshold, autovacuum_vacuum_cost_delay);
      DO $$
      DECLARE
        of_column name;
      BEGIN
        FOR of_column IN SELECT attname FROM pg_attribute
                          WHERE attrelid = 'board_entry'::regclass AND attnum > 0 AND NOT attisdropped LOOP
          EXECUTE format('ALTER TABLE board_entry ALTER COLUMN %I SET STATISTICS DEFAULT', of_column);
        END LOOP;
      END $$;
    `);
  }
}
