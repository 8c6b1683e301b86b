import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the boards have looked through the ledger, for all coordinators together. */
export class BoardCursor20261121001700 implements MigrationInterface {
  readonly name = 'BoardCursor20261121001700';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- One row: whoever earned by entries before taken_to has been looked at since.
      CREATE TABLE board_cursor (
        id boolean PRIMARY KEY DEFAULT true CONSTRAINT board_cursor_one CHECK (id),
        taken_to timestamptz NOT NULL
      );
      INSERT INTO board_cursor (taken_to) VALUES (now());
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE board_cursor;');
  }
}
