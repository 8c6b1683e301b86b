import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { HostEntity } from '../hosts/host.entity.js';

/** A certificate that a host was given for a peer id; the signed text can be made again from the row. */
@Entity('swarm_certificate')
@Index('swarm_certificate_by_host', ['hostId'])
@Index('swarm_certificate_by_token', ['tokenId'])
@Index('swarm_certificate_expires', ['expiresAt'])
@Index('swarm_certificate_revoked', ['revokedAt'], { where: 'revoked_at IS NOT NULL' })
export class SwarmCertificateEntity {
  @PrimaryColumn({ type: 'text' })
  serial: string;

  @Column({ type: 'bigint', name: 'host_id' })
  @ForeignKey(() => HostEntity, { name: 'swarm_certificate_host' })
  hostId: string;

  /** The token that it ends with; an account that is deleted takes its tokens along. */
  @Column({ type: 'bigint', name: 'token_id' })
  tokenId: string;

  @Column({ type: 'text', name: 'peer_id' })
  peerId: string;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt: Date;

  @Column({ type: 'timestamptz', name: 'revoked_at', nullable: true })
  revokedAt: Date | null;
}
