import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Anchors of a day, week or month say which: those of yesterday tell nothing of today's board. */
export class AnchorPeriods20261121001950 implements MigrationInterface {
  readonly name = 'AnchorPeriods20261121001950';

  async up(runner: QueryRunner): Promise<void> {
    // Of boards without a beginning this is true; the others' anchors are placed again within a minute.
    await runner.query(`
      ALTER TABLE board_anchor ADD COLUMN starts date NOT NULL DEFAULT '-infinity';
      ALTER TABLE board_anchor ALTER COLUMN starts DROP DEFAULT;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE board_anchor DROP COLUMN starts');
  }
}
