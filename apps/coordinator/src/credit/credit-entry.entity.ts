import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Append-only. The totals are sums over it. */
@Entity('credit_entry')
@Index('credit_entry_granted', ['grantedAt'], { type: 'brin' })
export class CreditEntryEntity {
  @PrimaryColumn({ type: 'bigint', name: 'unit_id' })
  unitId: string;

  @Column({ type: 'bigint', name: 'account_id' })
  accountId: string;

  @Column({ type: 'bigint', name: 'host_id' })
  hostId: string;

  @Column({ type: 'timestamptz', name: 'granted_at', default: () => 'now()' })
  grantedAt: Date;

  @PrimaryColumn({ type: 'smallint' })
  ordinal: number;

  /** Even where credit is granted, odd where it is taken back, with negative cycles. */
  @PrimaryColumn({ type: 'smallint', default: 0 })
  sequence: number;

  @Column({ type: 'numeric' })
  cycles: string;

  /** The team that the account was in when it was earned. */
  @Column({ type: 'bigint', name: 'team_id', nullable: true })
  teamId: string | null;
}
