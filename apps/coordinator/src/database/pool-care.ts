import type { EventEmitter } from 'node:events';
import type pg from 'pg';
import { databaseTrouble, READ_ONLY } from './database-troubles.js';
import { endLostSessions } from './lost-sessions.js';

/** What was wrong so long ago is over: whatever goes on working meets it again sooner. */
const TROUBLE_AGE_MAX_MS = 15_000;

interface Trouble {
  readonly what: string;
  readonly atMs: number;
}

const troubles = new WeakMap<pg.Pool, Trouble>();
const ignore = (): void => undefined;

/**
 * Has a pool outlive what goes wrong with its connections and its server, and remember what that was.
 *
 * @param also what is wrong, by SQLSTATE, where statements of this pool fail that may not
 */
export function careFor(pool: pg.Pool, also: Readonly<Record<string, string>> = {}): void {
  surviveBrokenConnections(pool);
  endLostSessions(pool);
  const heard = new WeakSet<pg.PoolClient>();
  const readOnly = new WeakSet<pg.PoolClient>();
  pool.on('acquire', (client) => {
    if (heard.has(client)) return;
    heard.add(client);
    // `as`: the connection below a client tells every error, whoever asked; node-postgres' types leave it out.
    const { connection } = client as unknown as { readonly connection: EventEmitter };
    connection.on('errorMessage', ({ code = '' }: pg.DatabaseError) => {
      const what = also[code] ?? databaseTrouble(code);
      if (what !== undefined) troubles.set(pool, { what, atMs: performance.now() });
      if (code === READ_ONLY) readOnly.add(client);
    });
  });
  // A session in which nothing can be written may stay so for as long as it lives: it is with a server that another took over from,
  // or was told so when it began. Whoever needs a connection next makes a new one.
  pool.on('release', (_error, client) => {
    // A pool keeps no client that has begun to end. `as`: clients of a pool are such.
    if (readOnly.has(client)) void (client as pg.PoolClient & pg.Client).end().catch(ignore);
  });
}

/** What the pools' server said lately of itself that was wrong; null: nothing. */
export function recentTrouble(pools: readonly pg.Pool[]): string | null {
  const sinceMs = performance.now() - TROUBLE_AGE_MAX_MS;
  const recent = pools.flatMap((pool) => troubles.get(pool) ?? []).filter(({ atMs }) => atMs > sinceMs);
  return recent.toSorted((a, b) => b.atMs - a.atMs)[0]?.what ?? null;
}

/**
 * A connection that breaks fails the statement that runs on it, or the next one. A pool listens to those alone that nobody uses:
 * of a connection in use the error would be nobody's, and end the process.
 */
function surviveBrokenConnections(pool: pg.Pool): void {
  pool.on('acquire', (client) => {
    if (!client.listeners('error').includes(ignore)) client.on('error', ignore);
  });
}
