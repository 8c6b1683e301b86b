import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { TeamEntity } from './team.entity.js';

/** The sum of the credit entries that name the team. */
@Entity('team_credit')
export class TeamCreditEntity {
  @PrimaryColumn({ type: 'bigint', name: 'team_id' })
  @ForeignKey(() => TeamEntity, { name: 'team_credit_team' })
  teamId: string;

  @Column({ type: 'numeric', default: 0 })
  cycles: string;

  @Column({ type: 'bigint', default: 0 })
  tasks: string;
}
