import { UNIT_STATES, type UnitParams, type UnitState, type UnitWindows } from '@gleaner/protocol';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('work_unit')
@Index('work_unit_by_job', ['jobId', 'id'])
@Index('work_unit_rare', ['jobId', 'state', 'id'], {
  where: "state = ANY (ARRAY['awaiting-output'::unit_state, 'failed'::unit_state, 'cancelled'::unit_state])",
})
// Its order of nulls is more than a decorator can say; the migration has it.
@Index('work_unit_open', { synchronize: false })
@Index('work_unit_awaiting_output', ['uploadUntil'], { where: "state = 'awaiting-output'::unit_state" })
export class WorkUnitEntity {
  @PrimaryColumn({ type: 'bigint' })
  id: string;

  @Column({ type: 'bigint', name: 'job_id' })
  jobId: string;

  @Column({ type: 'bigint', name: 'index_in_job' })
  indexInJob: string;

  @Column({ type: 'timestamptz', name: 'ticketed_at', nullable: true })
  ticketedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'settled_at', nullable: true })
  settledAt: Date | null;

  @Column({ type: 'timestamptz', name: 'upload_until', nullable: true })
  uploadUntil: Date | null;

  @Column({ type: 'enum', enum: UNIT_STATES, enumName: 'unit_state', default: 'open' })
  state: UnitState;

  @Column({ type: 'smallint', default: 0 })
  ticketed: number;

  @Column({ type: 'smallint' })
  wanted: number;

  @Column({ type: 'smallint', name: 'canonical_ordinal', nullable: true })
  canonicalOrdinal: number | null;

  @Column({ type: 'jsonb' })
  params: UnitParams;

  @Column({ type: 'jsonb' })
  windows: UnitWindows;

  @Column({ type: 'text', nullable: true })
  blocked: string | null;

  @Column({ type: 'text', nullable: true })
  failure: string | null;
}
