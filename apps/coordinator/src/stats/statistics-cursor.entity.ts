import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('statistics_cursor')
@Check('statistics_cursor_one', 'id')
export class StatisticsCursorEntity {
  @PrimaryColumn({ type: 'boolean', default: true })
  id: boolean;

  @Column({ type: 'timestamptz', name: 'counted_to' })
  countedTo: Date;

  @Column({ type: 'date', name: 'closed_to' })
  closedTo: string;

  /** The installation's total that the buckets have taken in. */
  @Column({ type: 'numeric', name: 'saved_bytes', default: 0 })
  savedBytes: string;
}
