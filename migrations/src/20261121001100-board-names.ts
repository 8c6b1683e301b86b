import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Names apart from standings: a name's indexes cost most of what taking in credit did, and a name hardly ever changes. */
export class BoardNames20261121001100 implements MigrationInterface {
  readonly name = 'BoardNames20261121001100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE board_name (
        kind text NOT NULL CONSTRAINT board_name_kind CHECK (kind IN ('accounts', 'hosts', 'teams')),
        id bigint NOT NULL,
        name text NOT NULL,
        PRIMARY KEY (kind, id)
      );
      INSERT INTO board_name (kind, id, name) SELECT kind, id, name FROM board_entry;
      -- Drops the indexes of names with it.
      ALTER TABLE board_entry DROP COLUMN name;
      CREATE INDEX board_name_beginning ON board_name (kind, lower(name) text_pattern_ops);
      CREATE INDEX board_name_part ON board_name USING gin (lower(name) gin_trgm_ops);
      -- Without it the newest entries are in no range until the next vacuum, and every look at the last seconds reads them all.
      ALTER INDEX credit_entry_granted SET (autosummarize = on);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER INDEX credit_entry_granted RESET (autosummarize);
      ALTER TABLE board_entry ADD COLUMN name text;
      UPDATE board_entry e SET name = n.name FROM board_name n WHERE n.kind = e.kind AND n.id = e.id;
      ALTER TABLE board_entry ALTER COLUMN name SET NOT NULL;
      CREATE INDEX board_entry_name ON board_entry (kind, lower(name) text_pattern_ops);
      CREATE INDEX board_entry_name_part ON board_entry USING gin (lower(name) gin_trgm_ops);
      DROP TABLE board_name;
    `);
  }
}
