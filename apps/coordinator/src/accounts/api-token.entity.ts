import type { Scope } from '@gleaner/protocol';
import { Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { HostEntity } from '../hosts/host.entity.js';
import { AccountEntity } from './account.entity.js';

@Entity('api_token')
@Unique('api_token_secret', ['secretSha256'])
@Index('api_token_by_account', ['accountId', 'id'])
export class ApiTokenEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'api_token_account' })
  accountId: string;

  @Column({ type: 'bigint', name: 'host_id', nullable: true })
  @ForeignKey(() => HostEntity, { name: 'api_token_host' })
  hostId: string | null;

  @Column({ type: 'bytea', name: 'secret_sha256' })
  secretSha256: Buffer;

  @Column({ type: 'text' })
  label: string;

  @Column({ type: 'text', array: true })
  scopes: Scope[];

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  @Column({ type: 'timestamptz', name: 'revoked_at', nullable: true })
  revokedAt: Date | null;

  /** A browser got it by signing in. */
  @Column({ type: 'boolean', default: false })
  session: boolean;
}
