import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { scope } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Actor } from './actor.js';
import { BoundedCache } from './bounded-cache.js';

const CACHED_TOKENS = 50_000;
const TTL_MS = 15_000;
const SECRET_PATTERN = /^gln_[A-Za-z0-9_-]{32,80}$/;

const tokenRow = z.object({
  id: z.string(),
  account_id: z.string(),
  host_id: z.string().nullable(),
  scopes: z.array(scope),
  operator: z.boolean(),
  anonymous: z.boolean(),
});

/** A new token's secret, 256 bits. Only its SHA-256 is stored. */
export function drawSecret(): string {
  return `gln_${randomBytes(32).toString('base64url')}`;
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/**
 * Finds out whose token a secret is. Answers, unknown tokens included, are remembered for {@link TTL_MS}: that is how long
 * a token revoked through another coordinator goes on working.
 */
@Injectable()
export class TokenDirectory {
  private readonly cache = new BoundedCache<string, Actor | null>(CACHED_TOKENS, TTL_MS);

  constructor(private readonly dataSource: DataSource) {}

  async find(secret: string): Promise<Actor | null> {
    if (!SECRET_PATTERN.test(secret)) return null;
    const hash = hashSecret(secret);
    const key = hash.toString('base64');
    const cached = this.cache.get(key);
    if (cached !== undefined) return cached;
    const actor = await this.load(hash);
    this.cache.set(key, actor);
    return actor;
  }

  /** To be called whenever a token, host or account loses a right. Rare, so everything is forgotten. */
  forgetAll(): void {
    this.cache.clear();
  }

  private async load(hash: Buffer): Promise<Actor | null> {
    const rows = z.array(tokenRow).parse(
      await this.dataSource.query(
        `SELECT t.id, t.account_id, t.host_id, t.scopes, a.operator, a.anonymous
           FROM api_token t JOIN account a ON a.id = t.account_id LEFT JOIN host h ON h.id = t.host_id
          WHERE t.secret_sha256 = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
            AND a.deleted_at IS NULL AND h.detached_at IS NULL`,
        [hash],
      ),
    );
    const row = rows[0];
    if (!row) return null;
    // Once in ten minutes is enough to see which tokens are in use.
    await this.dataSource.query(
      `UPDATE api_token SET last_used_at = now()
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '10 minutes')`,
      [row.id],
    );
    return {
      tokenId: row.id,
      accountId: row.account_id,
      hostId: row.host_id,
      scopes: row.scopes,
      operator: row.operator && row.scopes.includes('operate'),
      anonymous: row.anonymous,
    };
  }
}
