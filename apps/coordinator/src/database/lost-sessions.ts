import type pg from 'pg';
import { z } from 'zod';
import { besidePool } from './beside-pool.js';

const LOOK_EVERY_MS = 10_000;
/** Whoever has had a connection for so long may wait for a lock, or for a server that is gone. */
const LONG_IN_USE_MS = 15_000;
const ANSWER_WITHIN_MS = 5_000;
/** By so much less has a session been there that is not the one of a connection. */
const YOUNGER_MS = 1_000;

const sessions = z.tuple([
  z.object({
    own: z.number(),
    ages: z.record(z.string(), z.number()),
  }),
]);

/** Sessions of our role, by process id, and how long each has been there. */
const SESSIONS = `
  SELECT pg_backend_pid() AS own,
         json_object_agg(pid, extract(epoch FROM clock_timestamp() - backend_start) * 1000) AS ages
    FROM pg_stat_activity WHERE usename = current_user AND backend_type = 'client backend'`;

/** `as` where it is used: clients of a pool are such; the types leave out what lies below them. */
type Client = pg.PoolClient & {
  readonly processID: number;
  readonly connection: { readonly stream: { destroy(): void } };
};

/** Looks after a pool for as long as it is there. */
export function endLostSessions(pool: pg.Pool): void {
  new LostSessions(pool).watch();
}

/**
 * Ends connections whose session is gone from the server. A machine that lost its power, or was cut off, says nothing: TCP goes on for
 * a quarter of an hour, or for ever where the server owed an answer, and another may have taken over long ago. No time is too
 * long for a statement by itself, so that whoever waits is told from whoever waits in vain by asking on a new connection.
 */
class LostSessions {
  private readonly begunAtMs = new WeakMap<Client, number>();
  private readonly inUseSinceMs = new Map<Client, number>();
  private timer: NodeJS.Timeout | undefined;
  private isLooking = false;

  constructor(private readonly pool: pg.Pool) {}

  watch(): void {
    this.pool.on('acquire', (acquired) => {
      const client = acquired as Client;
      const nowMs = performance.now();
      if (!this.begunAtMs.has(client)) this.begunAtMs.set(client, nowMs);
      this.inUseSinceMs.set(client, nowMs);
      this.timer ??= setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    });
    this.pool.on('release', (_error, client) => this.inUseSinceMs.delete(client as Client));
  }

  private async look(): Promise<void> {
    if (this.pool.ended) clearInterval(this.timer);
    const sinceMs = performance.now() - LONG_IN_USE_MS;
    const suspects = [...this.inUseSinceMs].filter(([, atMs]) => atMs < sinceMs).map(([client]) => client);
    if (suspects.length === 0 || this.isLooking) return;
    this.isLooking = true;
    try {
      const ages = await this.ages();
      for (const client of suspects)
        if (ages && this.isLost(client, ages)) client.connection.stream.destroy();
    } catch {
      // The server cannot be asked: whoever waits for it waits on.
    } finally {
      this.isLooking = false;
    }
  }

  private isLost(client: Client, ages: Readonly<Record<string, number>>): boolean {
    const age = ages[client.processID];
    const begunAtMs = this.begunAtMs.get(client);
    if (age === undefined || begunAtMs === undefined) return true;
    return age < performance.now() - begunAtMs - YOUNGER_MS;
  }

  /** null: a pooler stands between, whose sessions are not ours. */
  private async ages(): Promise<Readonly<Record<string, number>> | null> {
    return await besidePool(this.pool, ANSWER_WITHIN_MS, async (client) => {
      const [{ own, ages }] = sessions.parse((await client.query(SESSIONS)).rows);
      return own === (client as unknown as Client).processID ? ages : null;
    });
  }
}
