import { JOB_STATES, type JobSpec, type JobState } from '@gleaner/protocol';
import { Check, Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';
import { AppVersionEntity } from '../apps/app-version.entity.js';
import { BlobEntity } from '../blobs/blob.entity.js';
import { ProjectEntity } from '../projects/project.entity.js';

@Entity('job')
@Index('job_idempotency', ['accountId', 'idempotencyKey'], {
  unique: true,
  where: 'idempotency_key IS NOT NULL',
})
@Index('job_by_account', ['accountId', 'id'])
@Index('job_by_project', ['projectId', 'id'])
@Index('job_active', ['state', 'id'], {
  where: "state = ANY (ARRAY['splitting'::job_state, 'running'::job_state, 'assimilating'::job_state])",
})
@Index('job_paused', ['id'], { where: "state = 'paused'::job_state" })
@Index('job_ended', ['id'], {
  where: "(state = ANY (ARRAY['cancelled'::job_state, 'failed'::job_state])) OR (deleted_at IS NOT NULL)",
})
@Index('job_public', ['id'], { where: 'is_public AND (deleted_at IS NULL)' })
@Check('job_distinct_by', "distinct_by IN ('account', 'host')")
export class JobEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column({ type: 'bigint', name: 'project_id' })
  @ForeignKey(() => ProjectEntity, { name: 'job_project' })
  projectId: string;

  @Column({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'job_submitter' })
  accountId: string;

  @Column({ type: 'bigint', name: 'app_version_id' })
  @ForeignKey(() => AppVersionEntity, { name: 'job_app_version' })
  appVersionId: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'jsonb' })
  spec: JobSpec;

  @Column({ type: 'enum', enum: JOB_STATES, enumName: 'job_state', default: 'splitting' })
  state: JobState;

  @Column({ type: 'text', name: 'state_reason', nullable: true })
  stateReason: string | null;

  @Column({ type: 'integer' })
  share: number;

  @Column({ type: 'smallint' })
  quorum: number;

  @Column({ type: 'smallint', name: 'max_errors' })
  maxErrors: number;

  @Column({ type: 'smallint', name: 'max_tasks' })
  maxTasks: number;

  @Column({ type: 'text', name: 'distinct_by' })
  distinctBy: 'account' | 'host';

  @Column({ type: 'integer', name: 'memory_mib' })
  memoryMiB: number;

  @Column({ type: 'bigint', name: 'task_deadline_ms' })
  taskDeadlineMs: string;

  @Column({ type: 'bigint', name: 'units_split', default: 0 })
  unitsSplit: string;

  /** When its last unit was written; null while it is split. */
  @Column({ type: 'timestamptz', name: 'split_at', nullable: true })
  splitAt: Date | null;

  @Column({ type: 'boolean', name: 'is_public', default: true })
  isPublic: boolean;

  @Column({ type: 'boolean', name: 'shows_results', default: false })
  showsResults: boolean;

  @Column({ type: 'text', name: 'idempotency_key', nullable: true })
  idempotencyKey: string | null;

  @Column({ type: 'bytea', name: 'request_sha256', nullable: true })
  requestSha256: Buffer | null;

  @Column({ type: 'bytea', name: 'output_sha256', nullable: true })
  @ForeignKey(() => BlobEntity, { name: 'job_output' })
  outputSha256: Buffer | null;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'finished_at', nullable: true })
  finishedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'deleted_at', nullable: true })
  deletedAt: Date | null;

  /** Copied from the spec by a trigger. */
  @Column({ type: 'text', name: 'output_names', array: true, nullable: true })
  readonly outputNames: string[] | null;

  /** Copied from the spec by a trigger. */
  @Column({ type: 'bigint', name: 'output_bytes', nullable: true })
  readonly outputBytes: string | null;
}
