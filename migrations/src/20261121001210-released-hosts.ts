import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Hosts that an operator let work again are owed what they earned while they were held. */
export class ReleasedHosts20261121001210 implements MigrationInterface {
  readonly name = 'ReleasedHosts20261121001210';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Null again once what it is owed was granted.
      ALTER TABLE host ADD COLUMN released_at timestamptz;
      CREATE INDEX host_released ON host (id) WHERE released_at IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE host DROP COLUMN released_at;');
  }
}
