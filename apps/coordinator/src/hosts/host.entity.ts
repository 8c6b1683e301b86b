import { HOST_KINDS, type HostKind, type HostPreferences, type HostWishes } from '@gleaner/protocol';
import { Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';

@Entity('host')
@Index('host_by_account', ['accountId', 'id'])
@Index('host_released', ['id'], { where: 'released_at IS NOT NULL' })
@Index('host_held', ['id'], { where: 'held_reason IS NOT NULL AND detached_at IS NULL' })
export class HostEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'host_account' })
  accountId: string;

  @Column({ type: 'text' })
  name: string;

  /** Its owner has chosen the name, so that boards show it; otherwise it is the machine's own. */
  @Column({ type: 'boolean', name: 'is_named', default: false })
  isNamed: boolean;

  @Column({ type: 'enum', enum: HOST_KINDS, enumName: 'host_kind' })
  kind: HostKind;

  @Column({ type: 'text' })
  platform: string;

  @Column({ type: 'integer' })
  cores: number;

  @Column({ type: 'integer', name: 'memory_mib' })
  memoryMiB: number;

  @Column({ type: 'text', name: 'agent_version' })
  agentVersion: string;

  @Column({ type: 'text', nullable: true })
  network: string | null;

  @Column({ type: 'text', name: 'held_reason', nullable: true })
  heldReason: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'last_seen_at', nullable: true })
  lastSeenAt: Date | null;

  @Column({ type: 'timestamptz', name: 'detached_at', nullable: true })
  detachedAt: Date | null;

  /** When it was let work again; null once what it is owed was granted. */
  @Column({ type: 'timestamptz', name: 'released_at', nullable: true })
  releasedAt: Date | null;

  @Column({ type: 'text', name: 'wished_run', default: 'run' })
  wishedRun: HostWishes['run'];

  @Column({ type: 'jsonb', name: 'wished_preferences', nullable: true })
  wishedPreferences: HostPreferences | null;

  @Column({ type: 'integer', name: 'wishes_version', default: 0 })
  wishesVersion: number;

  @Column({ type: 'text', name: 'said_phase', nullable: true })
  saidPhase: string | null;

  @Column({ type: 'text', name: 'said_reason', nullable: true })
  saidReason: string | null;

  @Column({ type: 'timestamptz', name: 'said_at', nullable: true })
  saidAt: Date | null;
}
