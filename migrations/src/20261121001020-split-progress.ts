import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a job's last unit was written: its first ones are computed long before, and a paused job knows what is left to split. */
export class SplitProgress20261121001020 implements MigrationInterface {
  readonly name = 'SplitProgress20261121001020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE job ADD COLUMN split_at timestamptz;
      UPDATE job SET split_at = created_at WHERE state IN ('running', 'paused', 'assimilating', 'completed');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE job DROP COLUMN split_at;');
  }
}
