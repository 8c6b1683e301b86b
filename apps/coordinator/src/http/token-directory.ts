import { createHash, randomBytes } from 'node:crypto';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { scope } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { hotPool, PreparedStatement, tokenArray } from '../database/index.js';
import type { Actor } from './actor.js';
import { Remembered } from './remembered.js';

const REMEMBERED_TOKENS = 50_000;
const MAX_AGE_MS = 60_000;
const SECRET_PATTERN = /^gln_[A-Za-z0-9_-]{32,80}$/;

const tokenRow = z.object({
  digest: z.string(),
  id: z.string(),
  account_id: z.string(),
  host_id: z.string().nullable(),
  scopes: z.array(scope),
  operator: z.boolean(),
  anonymous: z.boolean(),
  left_ms: z.number().nullable(),
  is_use_unknown: z.boolean(),
});
type TokenRow = z.infer<typeof tokenRow>;

interface Known {
  readonly actor: Actor | null;
  /** When the token expires, by this process's own clock. */
  readonly untilMs: number;
}
const NOBODY: Known = { actor: null, untilMs: Number.POSITIVE_INFINITY };

/** Noting the use once in ten minutes is enough to see which tokens are in use. */
const findTokens = new PreparedStatement<object>(
  'find-tokens',
  `SELECT d.digest, t.id, t.account_id, t.host_id, t.scopes, a.operator, a.anonymous,
          (extract(epoch FROM t.expires_at - now()) * 1000)::float8 AS left_ms,
          t.last_used_at IS NULL OR t.last_used_at < now() - interval '10 minutes' AS is_use_unknown
     FROM unnest($1::text[]) AS d(digest)
     JOIN api_token t ON t.secret_sha256 = decode(d.digest, 'hex')
     JOIN account a ON a.id = t.account_id LEFT JOIN host h ON h.id = t.host_id
    WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
      AND a.deleted_at IS NULL AND h.detached_at IS NULL`,
);

/** What another coordinator notes in this moment, or what is being revoked, is not waited for. */
const noteUse = new PreparedStatement<object>(
  'note-use-of-tokens',
  `UPDATE api_token t SET last_used_at = now() FROM (
     SELECT id FROM api_token WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) f
    WHERE t.id = f.id`,
);

/** A new token's secret, 256 bits. Only its SHA-256 is stored. */
export function drawSecret(): string {
  return `gln_${randomBytes(32).toString('base64url')}`;
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/**
 * Finds out whose token a secret is. Answers, unknown tokens included, are remembered until `AccessChanges` hears that
 * something was revoked, by whichever coordinator. {@link MAX_AGE_MS} bounds how long a revoked token can go on working while
 * the connection that it hears through is broken.
 */
@Injectable()
export class TokenDirectory implements OnModuleDestroy {
  /** By the hexadecimal digest of the secret. */
  private readonly known: Remembered<string, Known>;

  constructor(private readonly dataSource: DataSource) {
    this.known = new Remembered({
      keyOf: (digest) => digest,
      load: (digests) => this.load(digests),
      maxEntries: REMEMBERED_TOKENS,
      maxAgeMs: MAX_AGE_MS,
    });
  }

  onModuleDestroy(): void {
    this.known.close();
  }

  async find(secret: string): Promise<Actor | null> {
    if (!SECRET_PATTERN.test(secret)) return null;
    const { actor, untilMs } = await this.known.find(hashSecret(secret).toString('hex'));
    return performance.now() < untilMs ? actor : null;
  }

  /** To be called whenever a token, host or account loses a right. Rare, so everything is forgotten. */
  forgetAll(): void {
    this.known.forgetAll();
  }

  /** One statement for all requests of a moment whose tokens are not remembered. */
  private async load(digests: readonly string[]): Promise<Known[]> {
    const askedAtMs = performance.now();
    const rows = z
      .array(tokenRow)
      .parse(await findTokens.run(hotPool(this.dataSource), [tokenArray([...new Set(digests)])]));
    await this.noteUse(rows);
    const byDigest = new Map(rows.map((row) => [row.digest, row]));
    return digests.map((digest) => {
      const row = byDigest.get(digest);
      if (!row) return NOBODY;
      return { actor: toActor(row), untilMs: askedAtMs + (row.left_ms ?? Number.POSITIVE_INFINITY) };
    });
  }

  /** A use that cannot be noted, as where the database takes nothing, keeps nobody from reading. */
  private async noteUse(rows: readonly TokenRow[]): Promise<void> {
    const ids = rows.filter(({ is_use_unknown }) => is_use_unknown).map(({ id }) => id);
    if (ids.length === 0) return;
    await noteUse.run(hotPool(this.dataSource), [tokenArray(ids)]).catch(() => undefined);
  }
}

function toActor(row: TokenRow): Actor {
  return {
    tokenId: row.id,
    accountId: row.account_id,
    hostId: row.host_id,
    scopes: row.scopes,
    operator: row.operator && row.scopes.includes('operate'),
    anonymous: row.anonymous,
  };
}
