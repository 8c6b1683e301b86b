import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SWARM_LIMITS, type OwnCertificate } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { BoundedCache, DomainError, type HostActor } from '../http/index.js';
import { Revocations } from './revocations.service.js';
import { SwarmSigner } from './swarm-signer.js';

const CERTIFICATE_MS = SWARM_LIMITS.certificateSeconds * 1000;
/** A certificate is given out again until half of its time is over. */
const RENEWED_BEFORE_MS = CERTIFICATE_MS / 2;
/** An agent is another peer every day, and its certificates last for a week; some more for one that lost its folder. */
const PEERS_PER_HOST = 12;
/** Rows that one issue clears away: more than it makes, so that the table stays as small as the swarm. */
const PURGED_PER_ISSUE = 16;
const CACHED_HOSTS = 50_000;
const CACHE_MS = 30_000;

const certificateRows = z.array(
  z.object({ serial: z.string(), peer_id: z.string(), token_id: z.string(), expires_at: z.date() }),
);
type CertificateRow = z.infer<typeof certificateRows>[number];
const barRows = z.array(z.object({ reason: z.string(), until: z.date() }));

/** Which peer ids are which host's. */
@Injectable()
export class Certificates {
  private readonly registered = new BoundedCache<string, readonly CertificateRow[]>(CACHED_HOSTS, CACHE_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly signer: SwarmSigner,
    private readonly revocations: Revocations,
  ) {}

  /** The host's certificate for this peer id, the same one again until it nears its end. */
  async issue(actor: HostActor, peerId: string): Promise<OwnCertificate> {
    const row = await this.dataSource.transaction(async (manager) => {
      await lockWorking(manager, actor);
      await requireNotBarred(manager, actor.hostId);
      const known = await loadValid(manager, actor.hostId);
      const own = known.find(
        (each) =>
          each.peer_id === peerId &&
          each.token_id === actor.tokenId &&
          each.expires_at.getTime() - Date.now() > RENEWED_BEFORE_MS,
      );
      if (own) return own;
      const others = new Set(known.map((each) => each.peer_id).filter((id) => id !== peerId));
      if (others.size >= PEERS_PER_HOST) {
        throw new DomainError(
          'conflict',
          `This host has ${others.size} peer ids already; use one of them, or wait until one expires.`,
        );
      }
      return await insert(manager, actor, peerId);
    });
    this.registered.delete(actor.hostId);
    return this.signer.certificate({
      peerId,
      hostId: actor.hostId,
      serial: row.serial,
      expiresAt: row.expires_at,
    });
  }

  /** @throws {DomainError} `forbidden` unless the host has a valid certificate for this peer id */
  async requireOwn(hostId: string, peerId: string): Promise<void> {
    if (await this.isOwn(hostId, peerId)) return;
    throw new DomainError(
      'forbidden',
      `This host has no valid certificate for the peer id ${peerId}: ask for one at POST /v1/swarm/certificate.`,
    );
  }

  async isOwn(hostId: string, peerId: string): Promise<boolean> {
    const revoked = (await this.revocations.current()).serials;
    const isIts = (row: CertificateRow): boolean =>
      row.peer_id === peerId && row.expires_at.getTime() > Date.now() && !revoked.has(row.serial);
    if (this.registered.get(hostId)?.some(isIts) === true) return true;
    // Another coordinator may have let the peer in since this one looked.
    this.registered.delete(hostId);
    return (await this.validOf(hostId)).some(isIts);
  }

  /** Whether the host takes part in the swarm at all. */
  async takesPart(hostId: string): Promise<boolean> {
    return (await this.validOf(hostId)).length > 0;
  }

  private async validOf(hostId: string): Promise<readonly CertificateRow[]> {
    const kept = this.registered.get(hostId);
    if (kept) return kept;
    const rows = await loadValid(this.dataSource.manager, hostId);
    this.registered.set(hostId, rows);
    return rows;
  }
}

async function loadValid(manager: EntityManager, hostId: string): Promise<CertificateRow[]> {
  return certificateRows.parse(
    await manager.query(
      `SELECT serial, peer_id, token_id, expires_at FROM swarm_certificate
        WHERE host_id = $1 AND revoked_at IS NULL AND expires_at > now() ORDER BY expires_at DESC`,
      [hostId],
    ),
  );
}

/** One at a time for each host, so that it has no more peers than it may have. */
async function lockWorking(manager: EntityManager, { hostId, tokenId }: HostActor): Promise<void> {
  const working = await manager.query<unknown[]>(
    `SELECT FROM host h JOIN api_token t ON t.host_id = h.id
      WHERE h.id = $1 AND h.detached_at IS NULL AND t.id = $2 AND t.revoked_at IS NULL FOR UPDATE OF h FOR SHARE OF t`,
    [hostId, tokenId],
  );
  // Detached or revoked since it was let in: what was revoked with it would not have its new certificate among it.
  if (working.length === 0)
    throw new DomainError('unauthorised', 'The token is unknown, expired or revoked.');
}

async function requireNotBarred(manager: EntityManager, hostId: string): Promise<void> {
  const [bar] = barRows.parse(
    await manager.query('SELECT reason, until FROM swarm_bar WHERE host_id = $1 AND until > now()', [hostId]),
  );
  if (!bar) return;
  throw new DomainError(
    'forbidden',
    `This host may not take part in the swarm until ${bar.until.toISOString()}: ${bar.reason}. It can go on working over HTTPS.`,
  );
}

async function insert(manager: EntityManager, actor: HostActor, peerId: string): Promise<CertificateRow> {
  // Whole seconds, as the certificate says it.
  const expiresAt = new Date(Math.floor((Date.now() + CERTIFICATE_MS) / 1000) * 1000);
  const serial = randomBytes(12).toString('hex');
  await manager.query(
    `WITH old AS (SELECT serial FROM swarm_certificate WHERE expires_at < now() ORDER BY expires_at
                   LIMIT ${PURGED_PER_ISSUE} FOR UPDATE SKIP LOCKED)
     DELETE FROM swarm_certificate WHERE serial IN (SELECT serial FROM old)`,
  );
  await manager.query(
    'INSERT INTO swarm_certificate (serial, host_id, token_id, peer_id, expires_at) VALUES ($1, $2, $3, $4, $5)',
    [serial, actor.hostId, actor.tokenId, peerId, expiresAt],
  );
  return { serial, peer_id: peerId, token_id: actor.tokenId, expires_at: expiresAt };
}
