import { Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { BlobEntity } from './blob.entity.js';

/** Somebody needs this blob: it is not swept. */
@Entity('blob_reference')
@Index('blob_reference_by_blob', ['sha256'])
export class BlobReferenceEntity {
  @PrimaryColumn({ type: 'text', name: 'owner_kind' })
  ownerKind: string;

  @PrimaryColumn({ type: 'bigint', name: 'owner_id' })
  ownerId: string;

  @PrimaryColumn({ type: 'text' })
  role: string;

  @PrimaryColumn({ type: 'bytea' })
  @ForeignKey(() => BlobEntity, { name: 'blob_reference_blob' })
  sha256: Buffer;
}
