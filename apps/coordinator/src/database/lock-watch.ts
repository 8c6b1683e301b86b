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

/** Only what waits: whatever a session is about to do without waiting ends soon, and is whole then. */
const CANCEL_WAITS = `
  SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = ANY($1::integer[]) AND wait_event_type = 'Lock'`;

/**
 * Tells who holds the locks that the sessions of a pool wait for, from a few seconds on: each holder once, until it is disposed of.
 * Once the signal is given statements that wait fail instead.
 */
export class LockWatch implements Disposable {
  private readonly sessions = new Set<number>();
  private readonly timer: NodeJS.Timeout;
  private isLooking = false;
  private isOver = false;
  private told = '';

  constructor(
    private readonly pool: pg.Pool,
    private readonly tell: (holders: string) => void,
    private readonly signal?: AbortSignal,
  ) {
    pool.on('acquire', this.note);
    signal?.addEventListener('abort', this.look);
    this.timer = setInterval(this.look, LOOK_EVERY_MS).unref();
  }

  [Symbol.dispose](): void {
    this.isOver = true;
    this.pool.off('acquire', this.note);
    this.signal?.removeEventListener('abort', this.look);
    clearInterval(this.timer);
  }

  private readonly note = (client: pg.PoolClient): void => {
    // `as`: clients of a pool are such; the types leave out what lies below them.
    this.sessions.add((client as unknown as { readonly processID: number }).processID);
  };

  private readonly look = (): void => {
    if (this.isLooking) return;
    this.isLooking = true;
    const looking = this.signal?.aborted === true ? this.cancelWaits() : this.tellHolders();
    void looking
      .catch(() => undefined) // A server that has no connection left for this is asked again.
      .finally(() => {
        this.isLooking = false;
      });
  };

  private async tellHolders(): Promise<void> {
    const holders = await besidePool(this.pool, ANSWER_WITHIN_MS, async (client) =>
      holderRows.parse((await client.query(HOLDERS, [[...this.sessions]])).rows),
    );
    const who = holders.map(({ pid }) => pid).join();
    if (this.isOver || who === this.told) return;
    this.told = who;
    if (holders.length > 0) this.tell(holders.map(describe).join(', '));
  }

  private async cancelWaits(): Promise<void> {
    await besidePool(this.pool, ANSWER_WITHIN_MS, (client) =>
      client.query(CANCEL_WAITS, [[...this.sessions]]),
    );
  }
}

function describe({ pid, name, address, state, since }: Holder): string {
  const of = name === null || name === '' ? '' : ` of "${name}"`;
  const from = address === null ? '' : ` from ${address}`;
  const does = state === null ? '' : ` (${state}${since === null ? '' : ` since ${since.toISOString()}`})`;
  return `session ${pid}${of}${from}${does}`;
}
