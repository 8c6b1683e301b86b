import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';

/** Room that an account was promised for content which has not become a blob yet. */
@Entity('upload_hold')
@Index('upload_hold_by_account', ['accountId', 'begunAt'])
@Index('upload_hold_expiry', ['expiresAt'])
export class UploadHoldEntity {
  /** Of an upload its own. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'upload_hold_account' })
  accountId: string;

  @Column({ type: 'bigint', name: 'size_bytes' })
  sizeBytes: string;

  @Column({ type: 'bigint', name: 'held_bytes' })
  heldBytes: string;

  @Column({ type: 'timestamptz', name: 'begun_at', default: () => 'now()' })
  begunAt: Date;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt: Date;
}
