import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';
import { BlobEntity } from './blob.entity.js';

/** This account may download and use the blob: it has proved that it has the content, by uploading it. */
@Entity('blob_grant')
export class BlobGrantEntity {
  @PrimaryColumn({ type: 'bytea' })
  @ForeignKey(() => BlobEntity, { name: 'blob_grant_blob', onDelete: 'CASCADE' })
  sha256: Buffer;

  @PrimaryColumn({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'blob_grant_account' })
  accountId: string;

  @Column({ type: 'timestamptz', name: 'granted_at', default: () => 'now()' })
  grantedAt: Date;
}
