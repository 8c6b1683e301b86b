import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who founds a team keeps few: they are counted. */
export class TeamKeepers20261123000100 implements MigrationInterface {
  readonly name = 'TeamKeepers20261123000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX team_by_keeper ON team (keeper_id);');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX team_by_keeper;');
  }
}
