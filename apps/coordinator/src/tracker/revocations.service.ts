import { Injectable } from '@nestjs/common';
import { SWARM_LIMITS } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';

/** How long a revocation made through another coordinator may go unnoticed. */
const FRESH_MS = 2_000;
/** A transaction that revokes may end so long after the moment that it wrote down. */
const OVERLAP_MS = 10_000;
/** Everything is read again so often, should a transaction have taken even longer than that. */
const WHOLE_MS = 5 * 60 * 1000;

/** Certificates that were revoked in the same millisecond are told apart by the first byte of their serial, which is random. */
const PLACES_PER_MS = 256;

const revokedRows = z.array(
  z.object({ serial: z.string(), revoked_ms: z.coerce.number(), expires_ms: z.coerce.number() }),
);
const barRows = z.array(z.object({ host_id: z.string() }));
const clockRows = z.tuple([z.object({ now_ms: z.coerce.number() })]);

interface Revoked {
  readonly serial: string;
  /** In the order in which they are told: by the millisecond of the database's clock, and within it by {@link PLACES_PER_MS}. */
  readonly place: number;
  readonly expiresMs: number;
}

interface Known {
  /** Serials that no longer count although they have not expired, all of them. */
  readonly serials: ReadonlyMap<string, Revoked>;
  /** The same by their places. */
  readonly inOrder: readonly Revoked[];
  readonly barredHosts: ReadonlySet<string>;
  /** Everything revoked before this moment of the database is among them. */
  readonly upToMs: number;
  readonly loadedAtMs: number;
}

/** Certificates that were taken back before their time, and hosts that get none for a while. */
@Injectable()
export class Revocations {
  private known: Known = {
    serials: new Map(),
    inOrder: [],
    barredHosts: new Set(),
    upToMs: 0,
    loadedAtMs: Number.NEGATIVE_INFINITY,
  };
  private loading: Promise<Known> | undefined;
  private wholeAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly dataSource: DataSource) {}

  /** At most {@link FRESH_MS} old; what this coordinator revoked itself is known at once. */
  async current(): Promise<Known> {
    if (performance.now() - this.known.loadedAtMs < FRESH_MS) return this.known;
    this.loading ??= this.load().finally(() => {
      this.loading = undefined;
    });
    return await this.loading;
  }

  /** To be called after a transaction that revoked. */
  forget(): void {
    this.known = { ...this.known, loadedAtMs: Number.NEGATIVE_INFINITY };
  }

  /**
   * What was revoked since the caller looked last; everything for a new one. Of too many the oldest: the rest is for the next call.
   *
   * @param seen `seen` of the last answer, or 0
   */
  async since(seen: number): Promise<{ serials: string[]; seen: number }> {
    const { inOrder, upToMs } = await this.current();
    // Of what a slow transaction may still put in between, nothing counts as seen.
    const settled = placeAt(upToMs - OVERLAP_MS);
    let from = inOrder.length;
    while (from > 0 && (inOrder[from - 1]?.place ?? 0) >= seen) from -= 1;
    const told = inOrder.slice(from, from + SWARM_LIMITS.revokedSerials);
    const next = inOrder[from + told.length]?.place ?? Number.POSITIVE_INFINITY;
    return { serials: told.map(({ serial }) => serial), seen: Math.max(0, Math.min(next, settled)) };
  }

  /** Within the caller's transaction. */
  async revokeOfToken(manager: EntityManager, tokenId: string): Promise<void> {
    await manager.query(
      'UPDATE swarm_certificate SET revoked_at = now() WHERE token_id = $1 AND revoked_at IS NULL AND expires_at > now()',
      [tokenId],
    );
  }

  /** Within the caller's transaction. */
  async revokeOfHost(manager: EntityManager, hostId: string): Promise<void> {
    await manager.query(
      'UPDATE swarm_certificate SET revoked_at = now() WHERE host_id = $1 AND revoked_at IS NULL AND expires_at > now()',
      [hostId],
    );
  }

  /** Takes the host out of the swarm for so long. It goes on working: HTTPS suffices. */
  async bar(hostId: string, reason: string, forMs: number): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await manager.query(
        `INSERT INTO swarm_bar (host_id, reason, until) VALUES ($1, $2, now() + $3 * interval '1 millisecond')
         ON CONFLICT (host_id) DO UPDATE SET reason = excluded.reason, until = greatest(swarm_bar.until, excluded.until)`,
        [hostId, reason, forMs],
      );
      await this.revokeOfHost(manager, hostId);
    });
    this.forget();
  }

  /** Mostly only what is new is read: where many were revoked, they are many for days. */
  private async load(): Promise<Known> {
    const isWhole = performance.now() - this.wholeAtMs > WHOLE_MS;
    const [{ now_ms: upToMs }] = clockRows.parse(
      await this.dataSource.query('SELECT extract(epoch FROM now()) * 1000 AS now_ms'),
    );
    const [serials, bars]: readonly [unknown, unknown] = await Promise.all([
      this.dataSource.query<unknown>(
        `SELECT serial, extract(epoch FROM revoked_at) * 1000 AS revoked_ms, extract(epoch FROM expires_at) * 1000 AS expires_ms
           FROM swarm_certificate WHERE revoked_at >= to_timestamp($1::float8 / 1000) AND expires_at > now()`,
        [isWhole ? 0 : Math.max(0, this.known.upToMs - OVERLAP_MS)],
      ),
      this.dataSource.query<unknown>('SELECT host_id FROM swarm_bar WHERE until > now()'),
    ]);
    const all = new Map([...this.known.serials].filter(([, { expiresMs }]) => expiresMs > upToMs));
    for (const { serial, revoked_ms: revokedMs, expires_ms: expiresMs } of revokedRows.parse(serials))
      all.set(serial, { serial, place: placeAt(revokedMs, serial), expiresMs });
    this.known = {
      serials: all,
      inOrder: [...all.values()].toSorted((a, b) => a.place - b.place),
      barredHosts: new Set(barRows.parse(bars).map(({ host_id: hostId }) => hostId)),
      upToMs,
      loadedAtMs: performance.now(),
    };
    if (isWhole) this.wholeAtMs = performance.now();
    return this.known;
  }
}

function placeAt(revokedMs: number, serial = '00'): number {
  return Math.floor(revokedMs) * PLACES_PER_MS + Number.parseInt(serial.slice(0, 2), 16);
}
