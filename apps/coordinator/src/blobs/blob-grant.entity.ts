import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';
import { BlobEntity } from './blob.entity.js';

/** This account may download and use the blob: it has proved that it has the content, by uploading it, or it is the answer to its job. */
@Entity('blob_grant')
@Index('blob_grant_by_account', ['accountId', 'grantedAt', 'sha256'])
export class BlobGrantEntity {
  @PrimaryColumn({ type: 'bytea' })
  @ForeignKey(() => BlobEntity, { name: 'blob_grant_blob', onDelete: 'CASCADE' })
  sha256: Buffer;

  @PrimaryColumn({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'blob_grant_account' })
  accountId: string;

  @Column({ type: 'timestamptz', name: 'granted_at', default: () => 'now()' })
  grantedAt: Date;

  /** What it counts for among what the account's uploads hold; 0 where it is an answer that was made for the account. */
  @Column({ type: 'bigint', name: 'held_bytes', default: 0 })
  heldBytes: string;
}
