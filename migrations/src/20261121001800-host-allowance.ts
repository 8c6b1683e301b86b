import type { MigrationInterface, QueryRunner } from 'typeorm';

/** First key of the advisory locks on hosts; the second is the host. */
const CLAIM_LOCKS = 8_400_002;

/**
 * What a host has used of its allowance, apart from its standing: a decision holds the standings of hundreds of hosts until it
 * commits, and every batch of claims among which there is one of these waited for that.
 */
export class HostAllowance20261121001800 implements MigrationInterface {
  readonly name = 'HostAllowance20261121001800';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE host_allowance (
        host_id bigint PRIMARY KEY CONSTRAINT host_allowance_host REFERENCES host ON DELETE CASCADE,
        -- UTC day that used was counted on; on any other day nothing is used yet.
        day date NOT NULL,
        used integer NOT NULL
      ) WITH (fillfactor = 50);
      INSERT INTO host_allowance (host_id, day, used)
      SELECT host_id, allowance_day, allowance_used FROM host_standing WHERE allowance_used > 0;
      ALTER TABLE host_standing DROP COLUMN allowance_used, DROP COLUMN allowance_day;
      ${takeClaimTurns(`
        SELECT s.host_id, s.allowance_per_day, s.allowance_per_day - coalesce(a.used, 0),
               (SELECT count(*) FROM lease l WHERE l.host_id = s.host_id)::integer, h.held_reason
          FROM unnest(hosts) AS asking(id) JOIN host_standing s ON s.host_id = asking.id JOIN host h ON h.id = s.host_id
               LEFT JOIN host_allowance a ON a.host_id = s.host_id AND a.day = today;`)}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE host_standing
        ADD COLUMN allowance_used integer NOT NULL DEFAULT 0,
        ADD COLUMN allowance_day date NOT NULL DEFAULT '1970-01-01';
      UPDATE host_standing s SET allowance_used = a.used, allowance_day = a.day FROM host_allowance a WHERE a.host_id = s.host_id;
      DROP TABLE host_allowance;
      ${takeClaimTurns(`
        SELECT s.host_id, s.allowance_per_day,
               s.allowance_per_day - CASE WHEN s.allowance_day = today THEN s.allowance_used ELSE 0 END,
               (SELECT count(*) FROM lease l WHERE l.host_id = s.host_id)::integer, h.held_reason
          FROM unnest(hosts) AS asking(id) JOIN host_standing s ON s.host_id = asking.id JOIN host h ON h.id = s.host_id;`)}
    `);
  }
}

/** As the migration that made it has it, with another look at what its hosts may have. */
function takeClaimTurns(look: string): string {
  return `
      CREATE OR REPLACE FUNCTION take_claim_turns(hosts bigint[], today date)
      RETURNS TABLE (host_id bigint, allowance_per_day integer, allowance_left integer, in_progress integer, held_reason text)
      LANGUAGE plpgsql VOLATILE ROWS 16 AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock(${CLAIM_LOCKS}, (asking.id % 2147483647)::integer) FROM unnest(hosts) AS asking(id);
        RETURN QUERY ${look.trim()}
      END $$;`;
}
