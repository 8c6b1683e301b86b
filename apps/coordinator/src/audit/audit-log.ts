import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditEntryEntity } from './audit-entry.entity.js';

export type AuditAction =
  | 'account.create'
  | 'account.claim'
  | 'account.sign-up'
  | 'account.rename'
  | 'account.reset-password'
  | 'account.change-password'
  | 'account.change-email'
  | 'account.delete'
  | 'token.create'
  | 'token.revoke'
  | 'project.approve'
  | 'project.add-scientist'
  | 'app-version.approve'
  | 'job.pause'
  | 'job.resume'
  | 'job.cancel'
  | 'job.delete'
  | 'job.publish'
  | 'job.hide'
  | 'device.approve'
  | 'device.deny'
  | 'host.detach'
  | 'dispatch.pause'
  | 'dispatch.resume'
  | 'host.hold'
  | 'host.release'
  | 'statistics.recount'
  | 'boards.rebuild';

export interface AuditRecord {
  readonly accountId: string | null;
  readonly action: AuditAction;
  /** What it was done to, such as `app seti-classic@1`. */
  readonly subject: string;
  readonly detail?: Record<string, unknown>;
}

/** Who decided what. Written in the transaction of the decision: none without its record. */
@Injectable()
export class AuditLog {
  async record(manager: EntityManager, { detail = {}, ...entry }: AuditRecord): Promise<void> {
    await manager.save(AuditEntryEntity, { ...entry, detail });
  }
}
