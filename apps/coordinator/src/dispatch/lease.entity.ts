import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('lease')
@Index('lease_expiry', ['expiresAt'])
export class LeaseEntity {
  @PrimaryColumn({ type: 'bigint', name: 'host_id' })
  hostId: string;

  @PrimaryColumn({ type: 'bigint', name: 'unit_id' })
  unitId: string;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt: Date;

  @Column({ type: 'timestamptz', name: 'deadline_at' })
  deadlineAt: Date;

  @PrimaryColumn({ type: 'smallint' })
  ordinal: number;
}
