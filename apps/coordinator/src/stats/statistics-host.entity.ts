import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('statistics_host')
export class StatisticsHostEntity {
  @PrimaryColumn({ type: 'date' })
  day: string;

  @PrimaryColumn({ type: 'bigint', name: 'host_id' })
  hostId: string;

  @Column({ type: 'integer' })
  hours: number;
}
