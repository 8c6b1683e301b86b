import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What became of a host's tasks that nobody judged, and what it said of itself, and whether its name is its owner's word. */
export class HostAccounts20261121001500 implements MigrationInterface {
  readonly name = 'HostAccounts20261121001500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE host_standing
        ADD COLUMN lost_tasks bigint NOT NULL DEFAULT 0,
        ADD COLUMN aborted_tasks bigint NOT NULL DEFAULT 0;
      UPDATE host_standing s SET lost_tasks = t.lost, aborted_tasks = t.aborted
        FROM (SELECT host_id, count(*) FILTER (WHERE state = 'lost') AS lost, count(*) FILTER (WHERE state = 'aborted') AS aborted
                FROM task WHERE state IN ('lost', 'aborted') GROUP BY host_id) t
       WHERE s.host_id = t.host_id;
      ALTER TABLE host ADD COLUMN said_phase text, ADD COLUMN said_reason text, ADD COLUMN said_at timestamptz;
      -- Names were machines' own, and everybody reads the boards: they show those that an owner has chosen.
      ALTER TABLE host ADD COLUMN is_named boolean NOT NULL DEFAULT false;
      UPDATE board_name SET name = 'host ' || id WHERE kind = 'hosts' AND name <> 'deleted machine';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE host DROP COLUMN is_named, DROP COLUMN said_phase, DROP COLUMN said_reason, DROP COLUMN said_at;
      ALTER TABLE host_standing DROP COLUMN lost_tasks, DROP COLUMN aborted_tasks;
    `);
  }
}
