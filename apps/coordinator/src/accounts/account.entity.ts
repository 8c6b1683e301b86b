import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

@Entity('account')
@Index('account_person', ['personId'], { where: 'person_id IS NOT NULL' })
export class AccountEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'boolean' })
  anonymous: boolean;

  @Column({ type: 'boolean', default: false })
  operator: boolean;

  @Column({ type: 'bigint', name: 'person_id', nullable: true })
  personId: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'deleted_at', nullable: true })
  deletedAt: Date | null;
}
