import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the website shows: jobs that their scientists made public, and the rate at which credit is granted. */
export class PublicFace20261121000300 implements MigrationInterface {
  readonly name = 'PublicFace20261121000300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Volunteers see a job's name and progress with every task: hiding it from the website is the exception.
      ALTER TABLE job ADD COLUMN is_public boolean NOT NULL DEFAULT true;
      CREATE INDEX job_public ON job (id) WHERE is_public AND deleted_at IS NULL;
      -- Entries arrive in the order of their time, so a few pages of ranges find the last minutes of a billion rows.
      CREATE INDEX credit_entry_granted ON credit_entry USING brin (granted_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX credit_entry_granted;
      DROP INDEX job_public;
      ALTER TABLE job DROP COLUMN is_public;
    `);
  }
}
