import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('blob')
@Index('blob_manifest', ['manifestId'])
@Index('blob_unreferenced', ['unreferencedSince'], { where: 'unreferenced_since IS NOT NULL' })
export class BlobEntity {
  @PrimaryColumn({ type: 'bytea' })
  sha256: Buffer;

  @Column({ type: 'bigint', name: 'size_bytes' })
  sizeBytes: string;

  @Column({ type: 'integer', name: 'chunk_bytes' })
  chunkBytes: number;

  @Column({ type: 'bytea', name: 'manifest_id' })
  manifestId: Buffer;

  @Column({ type: 'bytea' })
  signature: Buffer;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'unreferenced_since', nullable: true, default: () => 'now()' })
  unreferencedSince: Date | null;
}
