import type { HostFacts } from '@gleaner/protocol';
import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';

export type DeviceCodeState = 'pending' | 'approved' | 'denied';

@Entity('device_code')
@Unique('device_code_user_code', ['userCode'])
@Index('device_code_expires', ['expiresAt'])
export class DeviceCodeEntity {
  @PrimaryColumn({ type: 'bytea', name: 'secret_sha256' })
  secretSha256: Buffer;

  @Column({ type: 'text', name: 'user_code' })
  userCode: string;

  @Column({ type: 'jsonb' })
  host: HostFacts;

  /** Where it asked from: a /24 or /48; null where that is not known. */
  @Column({ type: 'text', nullable: true })
  network: string | null;

  @Column({ type: 'text', default: 'pending' })
  state: DeviceCodeState;

  /** Who approved it. */
  @Column({ type: 'bigint', name: 'account_id', nullable: true })
  @ForeignKey(() => AccountEntity, { name: 'device_code_account' })
  accountId: string | null;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt: Date;
}
