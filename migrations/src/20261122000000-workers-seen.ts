import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a worker was last at work, so that jobs which wait for one can say so. */
export class WorkersSeen20261122000000 implements MigrationInterface {
  readonly name = 'WorkersSeen20261122000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE installation ADD COLUMN workers_seen_at timestamptz NOT NULL DEFAULT now();',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE installation DROP COLUMN workers_seen_at;');
  }
}
