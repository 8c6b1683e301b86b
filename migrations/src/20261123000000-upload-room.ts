import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What uploads of each account hold on the disk, so that no account fills it. */
export class UploadRoom20261123000000 implements MigrationInterface {
  readonly name = 'UploadRoom20261123000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- 0 where the account did not upload it: the answer to a job of its own.
      ALTER TABLE blob_grant ADD COLUMN held_bytes bigint NOT NULL DEFAULT 0;
      UPDATE blob_grant g SET held_bytes = greatest(b.size_bytes, 65536)
        FROM blob b WHERE b.sha256 = g.sha256
         AND NOT EXISTS (SELECT FROM job j WHERE j.output_sha256 = g.sha256 AND j.account_id = g.account_id);
      CREATE INDEX blob_grant_by_account ON blob_grant (account_id, granted_at, sha256);

      -- Content that has not become a blob yet.
      CREATE TABLE upload_hold (
        id text PRIMARY KEY,
        account_id bigint NOT NULL CONSTRAINT upload_hold_account REFERENCES account,
        size_bytes bigint NOT NULL,
        held_bytes bigint NOT NULL,
        begun_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL);
      CREATE INDEX upload_hold_by_account ON upload_hold (account_id, begun_at);
      CREATE INDEX upload_hold_expiry ON upload_hold (expires_at);

      CREATE TABLE upload_room (
        account_id bigint PRIMARY KEY CONSTRAINT upload_room_account REFERENCES account,
        held_bytes bigint NOT NULL);
      INSERT INTO upload_room (account_id, held_bytes)
      SELECT account_id, sum(held_bytes) FROM blob_grant GROUP BY account_id HAVING sum(held_bytes) > 0;

      CREATE INDEX project_scientist_by_account ON project_scientist (account_id);

      -- In the order of accounts: of two statements that change the room of several, none waits for the other with what that needs.
      CREATE FUNCTION count_upload_room() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' THEN
          INSERT INTO upload_room AS room (account_id, held_bytes)
          SELECT account_id, sum(held_bytes) FROM added GROUP BY account_id HAVING sum(held_bytes) <> 0 ORDER BY account_id
          ON CONFLICT (account_id) DO UPDATE SET held_bytes = room.held_bytes + excluded.held_bytes;
        ELSIF TG_OP = 'DELETE' THEN
          INSERT INTO upload_room AS room (account_id, held_bytes)
          SELECT account_id, -sum(held_bytes) FROM removed GROUP BY account_id HAVING sum(held_bytes) <> 0 ORDER BY account_id
          ON CONFLICT (account_id) DO UPDATE SET held_bytes = room.held_bytes + excluded.held_bytes;
        ELSE
          INSERT INTO upload_room AS room (account_id, held_bytes)
          SELECT account_id, sum(bytes) FROM (
            SELECT account_id, held_bytes AS bytes FROM added UNION ALL SELECT account_id, -held_bytes FROM removed) changed
           GROUP BY account_id HAVING sum(bytes) <> 0 ORDER BY account_id
          ON CONFLICT (account_id) DO UPDATE SET held_bytes = room.held_bytes + excluded.held_bytes;
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER blob_grant_added AFTER INSERT ON blob_grant REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION count_upload_room();
      CREATE TRIGGER blob_grant_removed AFTER DELETE ON blob_grant REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION count_upload_room();
      CREATE TRIGGER blob_grant_changed AFTER UPDATE ON blob_grant REFERENCING NEW TABLE AS added OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION count_upload_room();
      CREATE TRIGGER upload_hold_added AFTER INSERT ON upload_hold REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION count_upload_room();
      CREATE TRIGGER upload_hold_removed AFTER DELETE ON upload_hold REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION count_upload_room();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER blob_grant_changed ON blob_grant;
      DROP TRIGGER blob_grant_removed ON blob_grant;
      DROP TRIGGER blob_grant_added ON blob_grant;
      DROP TABLE upload_room;
      DROP TABLE upload_hold;
      DROP FUNCTION count_upload_room;
      DROP INDEX project_scientist_by_account;
      DROP INDEX blob_grant_by_account;
      ALTER TABLE blob_grant DROP COLUMN held_bytes;
    `);
  }
}
