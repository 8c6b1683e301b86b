import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';
import { ProjectEntity } from './project.entity.js';

@Entity('project_scientist')
@Index('project_scientist_by_account', ['accountId'])
export class ProjectScientistEntity {
  @PrimaryColumn({ type: 'bigint', name: 'project_id' })
  @ForeignKey(() => ProjectEntity, { name: 'project_scientist_project', onDelete: 'CASCADE' })
  projectId: string;

  @PrimaryColumn({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'project_scientist_account' })
  accountId: string;

  @Column({ type: 'bigint', name: 'approved_by' })
  @ForeignKey(() => AccountEntity, { name: 'project_scientist_approver' })
  approvedBy: string;

  @Column({ type: 'timestamptz', name: 'approved_at', default: () => 'now()' })
  approvedAt: Date;
}
