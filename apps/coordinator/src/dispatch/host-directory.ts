import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { countedCores, initialAllowancePerDay, networkPrefix, type Party } from '@gleaner/domain';
import type { HostKind, HostPreferences, HostWishes } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../config/index.js';
import { Batcher, hotPool, plainArray, PreparedStatement, textArray, tokenArray } from '../database/index.js';
import { wishesOf } from '../hosts/index.js';
import { DomainError, Remembered } from '../http/index.js';

const REMEMBERED_HOSTS = 50_000;
/** How long a change of a host (held, claimed by an account) may go unnoticed where nobody tells of it. */
const MAX_AGE_MS = 60_000;

/** A host as dispatch knows it. Ids are decimal strings. */
export interface HostContext extends Party {
  readonly hostId: string;
  readonly accountId: string;
  readonly personId: string;
  readonly kind: HostKind;
  readonly cores: number;
  /** See `countedCores`; grows a while after the results that it grows by. */
  readonly countedCores: number;
  readonly memoryMiB: number;
  readonly heldReason: string | null;
  /** null: nothing was ever asked of it from afar. */
  readonly wishes: HostWishes | null;
}

interface HostRow {
  readonly host_id: string;
  readonly account_id: string;
  readonly person_id: string;
  readonly kind: HostKind;
  readonly cores: number;
  readonly memory_mib: number;
  readonly held_reason: string | null;
  readonly anonymous: boolean;
  readonly has_standing: boolean;
  readonly valid_tasks: number;
  readonly wished_run: HostWishes['run'];
  readonly wished_preferences: HostPreferences | null;
  readonly wishes_version: number;
  /** It never called before, or from another network. */
  readonly is_elsewhere: boolean;
  /** It was noted as seen a while ago. */
  readonly is_stale: boolean;
}

interface Seen {
  readonly hostId: string;
  readonly network: string | null;
}

const loadHosts = new PreparedStatement<HostRow>(
  'load-hosts',
  `SELECT h.id AS host_id, h.account_id, coalesce(a.person_id, a.id) AS person_id, h.kind, h.cores, h.memory_mib,
          h.held_reason, h.wished_run, h.wished_preferences, h.wishes_version, a.anonymous, st.host_id IS NOT NULL AS has_standing,
          coalesce(st.valid_tasks, 0)::float8 AS valid_tasks,
          h.last_seen_at IS NULL OR h.network IS DISTINCT FROM s.network AS is_elsewhere,
          h.last_seen_at < now() - interval '1 minute' AS is_stale
     FROM unnest($1::bigint[], $2::text[]) AS s(host_id, network)
          JOIN host h ON h.id = s.host_id JOIN account a ON a.id = h.account_id
          LEFT JOIN host_standing st ON st.host_id = h.id
    WHERE h.detached_at IS NULL`,
);

/** Says nothing of the network: a newer one may have been noted while this waited. Of hosts that have gone nothing is noted. */
const noteThere = new PreparedStatement<never>(
  'note-hosts-there',
  `UPDATE host h SET last_seen_at = now() FROM unnest($1::bigint[]) AS s(host_id)
    WHERE h.id = s.host_id AND h.detached_at IS NULL`,
);

const noteElsewhere = new PreparedStatement<never>(
  'note-hosts-elsewhere',
  `UPDATE host h SET last_seen_at = now(), network = s.network
     FROM unnest($1::bigint[], $2::text[]) AS s(host_id, network) WHERE h.id = s.host_id AND h.detached_at IS NULL`,
);

const ensureStandings = new PreparedStatement<never>(
  'ensure-standings',
  `INSERT INTO host_standing (host_id, allowance_per_day)
   SELECT * FROM unnest($1::bigint[], $2::integer[]) AS s(host_id, per_day) ORDER BY host_id
   ON CONFLICT DO NOTHING`,
);

/** Facts of calling hosts, remembered for a while; also notes when and on which network each was last seen. */
@Injectable()
export class HostDirectory implements OnModuleDestroy {
  private readonly known: Remembered<Seen, HostContext | null>;
  /** Nobody waits for it to be known that a host is still there. */
  private readonly noting: Batcher<string, void>;
  private closed = false;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.known = new Remembered({
      keyOf: ({ hostId }) => hostId,
      load: (seen) => this.load(seen),
      answers: (host, { network }) => host?.network === network,
      maxEntries: REMEMBERED_HOSTS,
      maxAgeMs: MAX_AGE_MS,
    });
    this.noting = new Batcher((hostIds) => this.noteThere(hostIds), {
      maxItems: 1_000,
      windowMs: 20,
      intervalMs: 1_000,
      concurrency: 1,
      maxWaiting: 20_000,
    });
  }

  /** What has not been noted by now is noted when the host calls next. */
  onModuleDestroy(): void {
    this.closed = true;
    this.known.close();
  }

  /**
   * @param address of the connection the host called from
   * @throws {DomainError} `unauthorised` for one that was detached after its token was looked at, as its next call will be answered
   */
  async find(hostId: string, address: string): Promise<HostContext> {
    const host = await this.known.find({ hostId, network: networkPrefix(address) });
    if (!host) throw new DomainError('unauthorised', 'The host has been detached.');
    return host;
  }

  forget(hostId: string): void {
    this.known.forget(hostId);
  }

  /** To be called when something about hosts or accounts changed: held, released, claimed. */
  forgetAll(): void {
    this.known.forgetAll();
  }

  private async load(seen: readonly Seen[]): Promise<Array<HostContext | null>> {
    const pool = hotPool(this.dataSource);
    const unique = new Map(seen.map((host) => [host.hostId, host]));
    const rows = await loadHosts.run(pool, [
      tokenArray([...unique.keys()]),
      textArray([...unique.values()].map(({ network }) => network)),
    ]);
    const elsewhere = new Set(rows.filter((row) => row.is_elsewhere).map((row) => row.host_id));
    if (elsewhere.size > 0)
      await this.noteElsewhere([...unique.values()].filter(({ hostId }) => elsewhere.has(hostId)));
    for (const { host_id: hostId, is_stale: isStale } of rows) {
      if (isStale && !elsewhere.has(hostId)) void this.noting.submit(hostId).catch(() => undefined);
    }
    const missing = rows.filter((row) => !row.has_standing);
    if (missing.length > 0) {
      await ensureStandings.run(pool, [
        tokenArray(missing.map((row) => row.host_id)),
        plainArray(missing.map((row) => initialAllowancePerDay(countedCoresOf(row), this.config.allowance))),
      ]);
    }
    const byId = new Map(rows.map((row) => [row.host_id, row]));
    return seen.map(({ hostId, network }) => {
      const row = byId.get(hostId);
      return row ? toContext(row, network) : null;
    });
  }

  private async noteThere(hostIds: readonly string[]): Promise<void[]> {
    const inOrder = [...new Set(hostIds)].sort((a, b) => Number(a) - Number(b));
    if (!this.closed) await noteThere.run(hotPool(this.dataSource), [tokenArray(inOrder)]);
    return hostIds.map(() => undefined);
  }

  private async noteElsewhere(hosts: readonly Seen[]): Promise<void> {
    const inOrder = hosts.toSorted((a, b) => Number(a.hostId) - Number(b.hostId));
    if (this.closed) return;
    await noteElsewhere.run(hotPool(this.dataSource), [
      tokenArray(inOrder.map(({ hostId }) => hostId)),
      textArray(inOrder.map(({ network }) => network)),
    ]);
  }
}

function toContext(row: HostRow, network: string | null): HostContext {
  return {
    hostId: row.host_id,
    accountId: row.account_id,
    personId: row.person_id,
    anonymous: row.anonymous,
    network,
    kind: row.kind,
    cores: row.cores,
    countedCores: countedCoresOf(row),
    memoryMiB: row.memory_mib,
    heldReason: row.held_reason,
    wishes: row.wishes_version === 0 ? null : wishesOf(row),
  };
}

function countedCoresOf({ cores, anonymous, valid_tasks: validTasks }: HostRow): number {
  return countedCores({ declared: cores, anonymous, validTasks });
}
