import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { JobEntity } from '../jobs/job.entity.js';

@Entity('job_tally')
export class JobTallyEntity {
  @PrimaryColumn({ type: 'bigint', name: 'job_id' })
  @ForeignKey(() => JobEntity, { name: 'job_tally_job', onDelete: 'CASCADE' })
  jobId: string;

  @Column({ type: 'bigint', name: 'units_valid', default: 0 })
  unitsValid: string;

  @Column({ type: 'bigint', name: 'units_failed', default: 0 })
  unitsFailed: string;

  @Column({ type: 'bigint', name: 'units_cancelled', default: 0 })
  unitsCancelled: string;

  @Column({ type: 'bigint', default: 0 })
  tasks: string;

  @Column({ type: 'numeric', default: 0 })
  cycles: string;
}
