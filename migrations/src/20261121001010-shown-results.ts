import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A scientist may show everybody what a job found, not only how far it is. */
export class ShownResults20261121001010 implements MigrationInterface {
  readonly name = 'ShownResults20261121001010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE job ADD COLUMN shows_results boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE job DROP COLUMN shows_results');
  }
}
