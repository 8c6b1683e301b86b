import type { MigrationInterface, QueryRunner } from 'typeorm';

/** First key of the advisory locks on hosts; the second is the host. */
const CLAIM_LOCKS = 8_400_002;

/** What a host may still take is counted by one claim at a time, whichever coordinators it asks. */
export class ClaimTurns20261121001400 implements MigrationInterface {
  readonly name = 'ClaimTurns20261121001400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Waits for the hosts' other claims and then looks anew: each statement of a volatile function sees what had been
      -- committed when it began, whereas the statement that calls it goes on seeing what was there before it waited. The locks
      -- are advisory because results are credited to the hosts' rows meanwhile. Hosts are to be named in order of their ids.
      CREATE FUNCTION take_claim_turns(hosts bigint[], today date)
      RETURNS TABLE (host_id bigint, allowance_per_day integer, allowance_left integer, in_progress integer, held_reason text)
      LANGUAGE plpgsql VOLATILE ROWS 16 AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock(${CLAIM_LOCKS}, (asking.id % 2147483647)::integer) FROM unnest(hosts) AS asking(id);
        RETURN QUERY
        SELECT s.host_id, s.allowance_per_day,
               s.allowance_per_day - CASE WHEN s.allowance_day = today THEN s.allowance_used ELSE 0 END,
               (SELECT count(*) FROM lease l WHERE l.host_id = s.host_id)::integer, h.held_reason
          FROM unnest(hosts) AS asking(id) JOIN host_standing s ON s.host_id = asking.id JOIN host h ON h.id = s.host_id;
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION take_claim_turns(bigint[], date);');
  }
}
