import type pg from 'pg';
import { z } from 'zod';
import { besidePool } from './beside-pool.js';

const LOOK_EVERY_MS = 2_000;
const ANSWER_WITHIN_MS = 5_000;

const holderRows = z.array(
  z.object({
    pid: z.number(),
    name: z.string().nullable(),
    address: z.string().nullable(),
    state: z.string().nullable(),
    since: z.date().nullable(),
  }),
);
type Holder = z.infer<typeof holderRows>[number];

/** Whom the sessions `$1` wait for. Of sessions of another role a server may tell the number alone. */
const HOLDERS = `
  SELECT pid, b.application_name AS name, host(b.client_addr) AS address, b.state,
         date_trunc('second', coalesce(b.xact_start, b.state_change)) AS since
    FROM (SELECT DISTINCT unnest(pg_blocking_pids(waits)) AS pid FROM unnest($1::integer[]) AS waits) h
    LEFT JOIN pg_stat_activity b USING (pid)
   ORDER BY pid`;

/** Tells who holds the locks that the sessions of a pool wait for, from a few seconds on: each holder once, until it is disposed of. */
export class LockWatch implements Disposable {
  private readonly sessions = new Set<number>();
  private readonly timer: NodeJS.Timeout;
  private isLooking = false;
  private isOver = false;
  private told = '';

  constructor(
    private readonly pool: pg.Pool,
    private readonly tell: (holders: string) => void,
  ) {
    pool.on('acquire', this.note);
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  [Symbol.dispose](): void {
    this.isOver = true;
    this.pool.off('acquire', this.note);
    clearInterval(this.timer);
  }

  private readonly note = (client: pg.PoolClient): void => {
    // `as`: clients of a pool are such; the types leave out what lies below them.
    this.sessions.add((client as unknown as { readonly processID: number }).processID);
  };

  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      const holders = await besidePool(this.pool, ANSWER_WITHIN_MS, async (client) =>
        holderRows.parse((await client.query(HOLDERS, [[...this.sessions]])).rows),
      );
      const who = holders.map(({ pid }) => pid).join();
      if (this.isOver || who === this.told) return;
      this.told = who;
      if (holders.length > 0) this.tell(holders.map(describe).join(', '));
    } catch {
      // A server that has no connection left for this is asked again.
    } finally {
      this.isLooking = false;
    }
  }
}

function describe({ pid, name, address, state, since }: Holder): string {
  const of = name === null || name === '' ? '' : ` of "${name}"`;
  const from = address === null ? '' : ` from ${address}`;
  const does = state === null ? '' : ` (${state}${since === null ? '' : ` since ${since.toISOString()}`})`;
  return `session ${pid}${of}${from}${does}`;
}
