import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The sweep looks for paused jobs all of whose units have failed, and would read every job that there ever was. */
export class PausedJobs20261121002200 implements MigrationInterface {
  readonly name = 'PausedJobs20261121002200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX job_paused ON job (id) WHERE state = 'paused';");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX job_paused;');
  }
}
