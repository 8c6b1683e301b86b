import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What tells this installation from others that use the same Redis. */
export class Installation20261121001300 implements MigrationInterface {
  readonly name = 'Installation20261121001300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE installation (
        id boolean NOT NULL DEFAULT true,
        namespace text NOT NULL,
        CONSTRAINT installation_pkey PRIMARY KEY (id),
        CONSTRAINT installation_one CHECK (id)
      );
      INSERT INTO installation (namespace) VALUES (left(replace(gen_random_uuid()::text, '-', ''), 12));
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE installation');
  }
}
