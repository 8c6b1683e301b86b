import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { JobEntity } from '../jobs/job.entity.js';

/** What the origin sent of a job's input to swarm hosts, and what they had from each other instead. */
@Entity('input_traffic')
export class InputTrafficEntity {
  @PrimaryColumn({ type: 'bigint', name: 'job_id' })
  @ForeignKey(() => JobEntity, { name: 'input_traffic_job' })
  jobId: string;

  @PrimaryColumn({ type: 'bytea' })
  sha256: Buffer;

  @Column({ type: 'bigint', name: 'saved_bytes', default: 0 })
  savedBytes: string;

  @Column({ type: 'bigint', name: 'origin_bytes', default: 0 })
  originBytes: string;
}
