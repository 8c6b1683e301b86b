import type { MigrationInterface, QueryRunner } from 'typeorm';

/** First key of the advisory locks on hosts; the second is the host. */
const CLAIM_LOCKS = 8_400_002;

/** What a host may still take is counted by one claim at a time, whichever coordinators it asks. */
export class ClaimTurns20261121001400 implements MigrationInterface {
  readonly name = 'ClaimTurns20261121001400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Waits for the host's other claims and then looks anew: each statement of a volatile function sees what had been
      -- committed when it began, whereas the statement that calls it goes on seeing what was there before it waited. The lock
      -- is advisory because a host's results are credited to its row meanwhile. Hosts are to be locked in order of their ids.
      CREATE FUNCTION take_claim_turn(host bigint, today date, OUT allowance_per_day integer, OUT allowance_left integer,
                                      OUT in_progress integer, OUT held_reason text)
      LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock(${CLAIM_LOCKS}, (host % 2147483647)::integer);
        SELECT s.allowance_per_day,
               s.allowance_per_day - CASE WHEN s.allowance_day = today THEN s.allowance_used ELSE 0 END,
               (SELECT count(*) FROM lease l WHERE l.host_id = s.host_id), h.held_reason
          INTO allowance_per_day, allowance_left, in_progress, held_reason
          FROM host_standing s JOIN host h ON h.id = s.host_id WHERE s.host_id = host;
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION take_claim_turn(bigint, date);');
  }
}
