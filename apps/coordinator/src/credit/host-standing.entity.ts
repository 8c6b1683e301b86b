import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { HostEntity } from '../hosts/host.entity.js';

@Entity('host_standing')
export class HostStandingEntity {
  @PrimaryColumn({ type: 'bigint', name: 'host_id' })
  @ForeignKey(() => HostEntity, { name: 'host_standing_host', onDelete: 'CASCADE' })
  hostId: string;

  @Column({ type: 'bigint', name: 'credited_tasks', default: 0 })
  creditedTasks: string;

  @Column({ type: 'bigint', name: 'valid_tasks', default: 0 })
  validTasks: string;

  @Column({ type: 'bigint', name: 'invalid_tasks', default: 0 })
  invalidTasks: string;

  @Column({ type: 'bigint', name: 'error_tasks', default: 0 })
  errorTasks: string;

  @Column({ type: 'bigint', name: 'lost_tasks', default: 0 })
  lostTasks: string;

  @Column({ type: 'bigint', name: 'aborted_tasks', default: 0 })
  abortedTasks: string;

  @Column({ type: 'integer', name: 'allowance_per_day' })
  allowancePerDay: number;

  @Column({ type: 'numeric', default: 0 })
  cycles: string;
}
