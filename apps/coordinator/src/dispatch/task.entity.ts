import { OUTCOMES, TASK_STATES, type Outcome, type TaskState } from '@gleaner/protocol';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { StoredOutput } from '../results/index.js';

@Entity('task')
@Index('task_distinct', ['unitId', 'distinctKey'], { unique: true, where: 'counts' })
export class TaskEntity {
  @PrimaryColumn({ type: 'bigint', name: 'unit_id' })
  unitId: string;

  @Column({ type: 'bigint', name: 'account_id' })
  accountId: string;

  @Column({ type: 'bigint', name: 'host_id' })
  hostId: string;

  @Column({ type: 'bigint', name: 'distinct_key' })
  distinctKey: string;

  @Column({ type: 'timestamptz', name: 'assigned_at', default: () => 'now()' })
  assignedAt: Date;

  @Column({ type: 'timestamptz', name: 'reported_at', nullable: true })
  reportedAt: Date | null;

  @Column({ type: 'enum', enum: TASK_STATES, enumName: 'task_state', default: 'in-progress' })
  state: TaskState;

  @PrimaryColumn({ type: 'smallint' })
  ordinal: number;

  @Column({ type: 'boolean', default: true })
  counts: boolean;

  @Column({ type: 'boolean', name: 'credit_eligible' })
  creditEligible: boolean;

  @Column({ type: 'boolean' })
  anonymous: boolean;

  @Column({ type: 'boolean', name: 'outputs_held', default: false })
  outputsHeld: boolean;

  @Column({ type: 'enum', enum: OUTCOMES, enumName: 'outcome', nullable: true })
  outcome: Outcome | null;

  @Column({ type: 'text', nullable: true })
  network: string | null;

  @Column({ type: 'bigint', name: 'exit_code', nullable: true })
  exitCode: string | null;

  @Column({ type: 'numeric', precision: 39, scale: 0, nullable: true })
  cycles: string | null;

  @Column({ type: 'real', name: 'cpu_ms', nullable: true })
  cpuMs: number | null;

  @Column({ type: 'bytea', nullable: true })
  digest: Buffer | null;

  @Column({ type: 'text', name: 'runtime_version', nullable: true })
  runtimeVersion: string | null;

  @Column({ type: 'text', name: 'trap_kind', nullable: true })
  trapKind: string | null;

  @Column({ type: 'jsonb', nullable: true })
  outputs: StoredOutput[] | null;

  @Column({ type: 'text', nullable: true })
  stderr: string | null;
}
