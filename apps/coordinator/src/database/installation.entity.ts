import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('installation')
@Check('installation_one', 'id')
export class InstallationEntity {
  @PrimaryColumn({ type: 'boolean', default: true, primaryKeyConstraintName: 'installation_pkey' })
  id: boolean;

  /** Drawn when the database was made. Whoever copies the database draws another one for the copy. */
  @Column({ type: 'text' })
  namespace: string;

  /** Where the database lay when a coordinator last started; null: none has since this is noted. */
  @Column({ type: 'text', nullable: true })
  place: string | null;

  /** When a worker was last at work. */
  @Column({ name: 'workers_seen_at', type: 'timestamptz', default: () => 'now()' })
  workersSeenAt: Date;
}
