import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Hosts that wait for a person's approval. */
export class Devices20261121000600 implements MigrationInterface {
  readonly name = 'Devices20261121000600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE device_code (
        secret_sha256 bytea PRIMARY KEY,
        user_code text NOT NULL CONSTRAINT device_code_user_code UNIQUE,
        host jsonb NOT NULL,
        state text NOT NULL DEFAULT 'pending',
        account_id bigint CONSTRAINT device_code_account REFERENCES account,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX device_code_expires ON device_code (expires_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE device_code');
  }
}
