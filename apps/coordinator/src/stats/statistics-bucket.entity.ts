import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('statistics_bucket')
@Check('statistics_bucket_grain', "grain IN ('hour', 'day')")
export class StatisticsBucketEntity {
  @PrimaryColumn({ type: 'text' })
  grain: 'hour' | 'day';

  @PrimaryColumn({ type: 'timestamptz', name: 'starts_at' })
  startsAt: Date;

  @Column({ type: 'numeric', default: 0 })
  cycles: string;

  @Column({ type: 'bigint', default: 0 })
  tasks: string;

  @Column({ type: 'bigint', default: 0 })
  units: string;

  @Column({ type: 'bigint', default: 0 })
  hosts: string;

  @Column({ type: 'numeric', name: 'saved_bytes', default: 0 })
  savedBytes: string;
}
