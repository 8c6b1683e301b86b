import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where a machine that waits for approval asked from. */
export class DeviceNetworks20261121001650 implements MigrationInterface {
  readonly name = 'DeviceNetworks20261121001650';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE device_code ADD COLUMN network text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE device_code DROP COLUMN network');
  }
}
