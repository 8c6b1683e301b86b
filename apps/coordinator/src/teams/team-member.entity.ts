import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';
import { TeamEntity } from './team.entity.js';

@Entity('team_member')
@Index('team_member_by_team', ['teamId', 'accountId'])
export class TeamMemberEntity {
  @PrimaryColumn({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'team_member_account' })
  accountId: string;

  @Column({ type: 'bigint', name: 'team_id' })
  @ForeignKey(() => TeamEntity, { name: 'team_member_team' })
  teamId: string;

  @Column({ type: 'timestamptz', name: 'joined_at', default: () => 'now()' })
  joinedAt: Date;

  @Column({ type: 'numeric', name: 'cycles_before' })
  cyclesBefore: string;
}
