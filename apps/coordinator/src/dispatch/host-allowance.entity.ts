import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { HostEntity } from '../hosts/host.entity.js';

@Entity('host_allowance')
export class HostAllowanceEntity {
  @PrimaryColumn({ type: 'bigint', name: 'host_id' })
  @ForeignKey(() => HostEntity, { name: 'host_allowance_host', onDelete: 'CASCADE' })
  hostId: string;

  @Column({ type: 'date' })
  day: string;

  @Column({ type: 'integer' })
  used: number;
}
