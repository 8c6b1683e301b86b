import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BoundedCache, type Actor, type HostActor } from '../http/index.js';
import { LEAVING } from './blob-removal.js';

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
    if (actor.operator || actor.hostId === null) return await this.isGranted(actor, sha256);
    const host = { ...actor, hostId: actor.hostId };
    const key = `${actor.tokenId}:${sha256}`;
    if (this.granted.get(key)) return true;
    const allowed =
      (await this.isComputedWith(host, sha256)) || (await this.isAllowedElsewhere(host, sha256));
    if (allowed) this.granted.set(key, true);
    return allowed;
  }

  /** Asked anew each time: whoever gives a blob back, and finds it there all the same, does not upload it again. */
  private async isGranted({ operator, accountId }: Actor, sha256: string): Promise<boolean> {
    const blobs = await this.dataSource.query<unknown[]>(
      `SELECT FROM blob b WHERE b.sha256 = decode($1, 'hex')
          AND ($2 OR EXISTS (SELECT FROM blob_grant g WHERE g.sha256 = b.sha256 AND g.account_id = $3))
          AND (b.unreferenced_since IS NULL OR b.unreferenced_since > ${LEAVING})`,
      [sha256, operator, accountId],
    );
    return blobs.length > 0;
  }

  private async isComputedWith({ hostId }: HostActor, sha256: string): Promise<boolean> {
    const leases = await this.dataSource.query<unknown[]>(
      `SELECT FROM lease l JOIN work_unit u ON u.id = l.unit_id
         JOIN blob_reference r ON r.owner_kind = 'job' AND r.owner_id = u.job_id AND r.role LIKE 'input:%'
        WHERE r.sha256 = decode($1, 'hex') AND l.host_id = $2 LIMIT 1`,
      [sha256, hostId],
    );
    return leases.length > 0;
  }

  private async isAllowedElsewhere(host: HostActor, sha256: string): Promise<boolean> {
    for (const rule of this.rules) if (await rule(host, sha256)) return true;
    return false;
  }
}
