import type { AdmissionReportDto } from '@gleaner/protocol';
import { Column, Entity, ForeignKey, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';
import { AppEntity } from './app.entity.js';

@Entity('app_version')
@Unique('app_version_name', ['appId', 'version'])
export class AppVersionEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column({ type: 'bigint', name: 'app_id' })
  @ForeignKey(() => AppEntity, { name: 'app_version_app' })
  appId: string;

  @Column({ type: 'text' })
  version: string;

  @Column({ type: 'bytea', name: 'original_sha256' })
  originalSha256: Buffer;

  @Column({ type: 'bytea', name: 'rewritten_sha256' })
  rewrittenSha256: Buffer;

  @Column({ type: 'text', name: 'runtime_version' })
  runtimeVersion: string;

  @Column({ type: 'boolean' })
  stepping: boolean;

  @Column({ type: 'jsonb' })
  report: AdmissionReportDto;

  @Column({ type: 'bigint', name: 'uploaded_by' })
  @ForeignKey(() => AccountEntity, { name: 'app_version_uploader' })
  uploadedBy: string;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'approved_at', nullable: true })
  approvedAt: Date | null;

  @Column({ type: 'bigint', name: 'approved_by', nullable: true })
  @ForeignKey(() => AccountEntity, { name: 'app_version_approver' })
  approvedBy: string | null;
}
