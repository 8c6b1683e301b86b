import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BoundedCache, type Actor, type HostActor } from '../http/index.js';

const CACHED_RIGHTS = 50_000;
/** A host fetches a blob in many ranges; asking the database for each would be asking for the same. */
const TTL_MS = 60_000;

/** Says that a host may read a blob for another reason than an open task. */
export type AccessRule = (host: HostActor, sha256: string) => Promise<boolean>;

/** Inputs are visible to the hosts that compute with them; otherwise a blob belongs to those who have uploaded it. */
@Injectable()
export class BlobAccess {
  private readonly granted = new BoundedCache<string, true>(CACHED_RIGHTS, TTL_MS);

  private readonly rules: AccessRule[] = [];

  constructor(private readonly dataSource: DataSource) {}

  /** Lets another feature allow hosts what this one would not. */
  alsoAllow(rule: AccessRule): void {
    this.rules.push(rule);
  }

  async mayRead(actor: Actor, sha256: string): Promise<boolean> {
    if (actor.operator) return true;
    const key = `${actor.tokenId}:${sha256}`;
    if (this.granted.get(key)) return true;
    const found: unknown = await this.dataSource.query(
      actor.hostId === null
        ? `SELECT FROM blob_grant WHERE sha256 = decode($1, 'hex') AND account_id = $2`
        : `SELECT FROM lease l JOIN work_unit u ON u.id = l.unit_id
             JOIN blob_reference r ON r.owner_kind = 'job' AND r.owner_id = u.job_id AND r.role LIKE 'input:%'
            WHERE r.sha256 = decode($1, 'hex') AND l.host_id = $2 LIMIT 1`,
      [sha256, actor.hostId ?? actor.accountId],
    );
    const allowed =
      (Array.isArray(found) && found.length > 0) || (await this.isAllowedElsewhere(actor, sha256));
    if (allowed) this.granted.set(key, true);
    return allowed;
  }

  private async isAllowedElsewhere(actor: Actor, sha256: string): Promise<boolean> {
    const { hostId } = actor;
    if (hostId === null) return false;
    for (const rule of this.rules) if (await rule({ ...actor, hostId }, sha256)) return true;
    return false;
  }
}
