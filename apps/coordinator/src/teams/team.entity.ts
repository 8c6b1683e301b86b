import { Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';

// An index on an expression is beyond what TypeORM can express.
@Entity('team')
@Index('team_name', { synchronize: false })
@Index('team_by_keeper', ['keeperId'])
export class TeamEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text', default: '' })
  description: string;

  @Column({ type: 'bigint', name: 'keeper_id' })
  @ForeignKey(() => AccountEntity, { name: 'team_keeper' })
  keeperId: string;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;
}
