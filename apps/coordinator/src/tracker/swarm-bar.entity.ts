import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { HostEntity } from '../hosts/host.entity.js';

/** This host gets no certificate for a while. */
@Entity('swarm_bar')
export class SwarmBarEntity {
  @PrimaryColumn({ type: 'bigint', name: 'host_id' })
  @ForeignKey(() => HostEntity, { name: 'swarm_bar_host' })
  hostId: string;

  @Column({ type: 'text' })
  reason: string;

  @Column({ type: 'timestamptz' })
  until: Date;
}
