import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { BoardKind } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { hotPool, type Pace, PreparedStatement, whileAlone } from '../database/index.js';
import { Stride } from './stride.js';

/** What is older is left to whoever compares everything. */
const LOOK_BACK_MINUTES = 10;
/** A transaction that runs longer than this is not waited for. */
const UNSETTLED_SECONDS = 10;
/** Owners that are kept in memory, of all boards together. */
const OWNERS_MAX = 50_000;
/** How much of the ledger's time is read at once. */
const FIRST_STRIDE_MS = 1_000;
const STRIDE = { leastMs: 100, mostMs: LOOK_BACK_MINUTES * 60_000, mostRows: 20_000 };
/** Where another coordinator reads, it is asked for this often. */
const TURN_POLL_MS = 200;
/** Entries since the last time; where there were fewer, nothing is gained by looking for pages without a range. */
const MANY_ENTRIES = 10_000;
/** Shorter than Postgres waits before it takes an automatic vacuum's lock away. */
const SUMMARISE_WITHIN_MS = 200;

/** What the owners of each board's rows earned by some entries of the ledger. */
export type Earned = Readonly<Record<BoardKind, ReadonlyMap<string, bigint>>>;

/**
 * From where to look, and up to when everything is known then: an entry's time is its transaction's beginning, so those of
 * transactions that still run are looked for again.
 */
const WINDOW = `
  SELECT extract(epoch FROM greatest(c.taken_to, now() - interval '${LOOK_BACK_MINUTES} minutes')) * 1000 AS from_ms,
         extract(epoch FROM now()) * 1000 AS now_ms,
         greatest(now() - interval '${UNSETTLED_SECONDS} seconds', least(now(), running.since) - interval '1 second')::text AS settled
    FROM board_cursor c, (SELECT min(xact_start) AS since FROM pg_stat_activity
                           WHERE datname = current_database() AND backend_type = 'client backend'
                             AND pid <> pg_backend_pid()) running`;
const windowRows = z.tuple([
  z.object({ from_ms: z.coerce.number(), now_ms: z.coerce.number(), settled: z.string() }),
]);

/**
 * Sums by whose row an entry is for, on all boards with one look; `grouping` tells which board a row is of. A line of text for
 * all ids of a board, and one for all their sums: thousands of rows would take the coordinator longer than the database.
 */
const readEarned = new PreparedStatement<object>(
  'read-earned',
  `
  WITH earned AS MATERIALIZED (
    SELECT account_id, host_id, team_id, sum(cycles) AS cycles, count(*) AS entries
      FROM credit_entry
     WHERE granted_at >= to_timestamp($1::float8 / 1000) AND granted_at < to_timestamp($2::float8 / 1000)
     GROUP BY account_id, host_id, team_id
  ), owner AS (
    SELECT CASE grouping(person_id, host_id, team_id) WHEN 3 THEN 'accounts' WHEN 5 THEN 'hosts' ELSE 'teams' END AS kind,
           coalesce(person_id, host_id, team_id) AS id, sum(cycles) AS cycles, sum(entries) AS entries
      FROM (SELECT coalesce(a.person_id, a.id) AS person_id, e.host_id, e.team_id, e.cycles, e.entries
              FROM earned e JOIN account a ON a.id = e.account_id) e
     GROUP BY GROUPING SETS ((person_id), (host_id), (team_id))
  )
  SELECT kind, string_agg(id::text, ',') AS ids, string_agg(cycles::text, ',') AS cycles, sum(entries)::integer AS entries
    FROM owner WHERE id IS NOT NULL GROUP BY kind`,
);
const earnedRows = z.array(
  z.object({
    kind: z.enum(['accounts', 'hosts', 'teams']),
    ids: z.string(),
    cycles: z.string(),
    entries: z.number(),
  }),
);

/** Whoever reads has the lock of this name. */
const TURN = 'board earnings';

/** Reads from the ledger who earned since it was last read, for all coordinators together. */
@Injectable()
export class Earnings {
  private readonly stride = new Stride(FIRST_STRIDE_MS, STRIDE);
  private lastEntries = 0;

  constructor(private readonly dataSource: DataSource) {}

  /** Where `take` fails the next call begins with the same entries. Others wait meanwhile. */
  async sinceLast(pace: Pace, take: (earned: Earned) => Promise<void>): Promise<void> {
    await this.inTurn(pace, async () => {
      if (this.lastEntries > MANY_ENTRIES) await this.summarise();
      this.lastEntries = 0;
      const [{ from_ms: fromMs, now_ms: nowMs, settled }] = windowRows.parse(
        await this.dataSource.query(WINDOW),
      );
      let earned = nothing();
      for (let startMs = fromMs; startMs < nowMs;) {
        const endMs = startMs + this.stride.ms;
        // What is granted this very moment belongs to the last part.
        await pace.portion(() => this.add(earned, startMs, endMs < nowMs ? endMs : Infinity));
        startMs = endMs;
        if (sizeOf(earned) < OWNERS_MAX) continue;
        await take(earned);
        earned = nothing();
      }
      await take(earned);
      await this.dataSource.query('UPDATE board_cursor SET taken_to = $1', [settled]);
    });
  }

  private async add(earned: Sums, fromMs: number, toMs: number): Promise<void> {
    const rows = earnedRows.parse(await readEarned.run(hotPool(this.dataSource), [fromMs, toMs]));
    let entries = 0;
    for (const { kind, ids, cycles, entries: count } of rows) {
      if (kind === 'accounts') entries = count;
      const sums = cycles.split(',');
      for (const [at, id] of ids.split(',').entries())
        earned[kind].set(id, (earned[kind].get(id) ?? 0n) + BigInt(sums[at] ?? 0));
    }
    this.stride.learn(entries);
    this.lastEntries += entries;
  }

  /**
   * The index on the ledger's times knows ranges of pages; those written since the last vacuum are in none, and every look at
   * the last seconds would read them all.
   */
  private async summarise(): Promise<void> {
    try {
      await this.dataSource.transaction(async (manager) => {
        await manager.query(`SET LOCAL lock_timeout = ${SUMMARISE_WITHIN_MS}`);
        await manager.query("SELECT brin_summarize_new_values('credit_entry_granted')");
      });
    } catch {
      // A vacuum is at it, and does the same at its end.
    }
  }

  private async inTurn({ signal }: Pace, work: () => Promise<void>): Promise<void> {
    // Asking again, not waiting in the database: who is to stop must not wait for another one's end.
    while ((await whileAlone(this.dataSource, TURN, work)) === null)
      await delay(TURN_POLL_MS, undefined, { ...(signal && { signal }) });
  }
}

type Sums = Readonly<Record<BoardKind, Map<string, bigint>>>;

function nothing(): Sums {
  return { accounts: new Map(), hosts: new Map(), teams: new Map() };
}

function sizeOf({ accounts, hosts, teams }: Earned): number {
  return accounts.size + hosts.size + teams.size;
}
