import { Injectable } from '@nestjs/common';
import type { DispatchPause } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { AuditLog } from '../audit/index.js';
import type { Actor } from '../http/index.js';
import { DispatchPauseEntity } from './dispatch-pause.entity.js';

/** How long after the switch other coordinators may go on giving out work. */
const REFRESH_MS = 1_000;

/** The operator's main switch: while it is off nobody gets new work; results are taken as ever. */
@Injectable()
export class DispatchPauses {
  private known: DispatchPause | null = null;
  private loadedAtMs = Number.NEGATIVE_INFINITY;
  private loading: Promise<void> | undefined;
  /** How often it was asked, and which answer is known: one that comes late tells of a time before. */
  private asked = 0;
  private answered = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
  ) {}

  /** At most about {@link REFRESH_MS} old; requests do not wait for a newer one. */
  async current(): Promise<DispatchPause | null> {
    const ageMs = performance.now() - this.loadedAtMs;
    if (ageMs > REFRESH_MS * 5) await this.refresh();
    else if (ageMs > REFRESH_MS) void this.refresh().catch(() => undefined);
    return this.known;
  }

  async pause(actor: Actor, reason: string): Promise<DispatchPause> {
    const since = new Date();
    await this.dataSource.transaction(async (manager) => {
      await manager.upsert(DispatchPauseEntity, { id: 1, reason, since, accountId: actor.accountId }, ['id']);
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: 'dispatch.pause',
        subject: 'all dispatch',
        detail: { reason },
      });
    });
    await this.load();
    return { reason, since: since.toISOString() };
  }

  /** Repeating it changes nothing. */
  async resume(actor: Actor): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const { affected } = await manager.delete(DispatchPauseEntity, { id: 1 });
      if (affected !== 1) return;
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: 'dispatch.resume',
        subject: 'all dispatch',
      });
    });
    await this.load();
  }

  private refresh(): Promise<void> {
    this.loading ??= this.load().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async load(): Promise<void> {
    const turn = (this.asked += 1);
    const row = await this.dataSource.manager.findOneBy(DispatchPauseEntity, { id: 1 });
    if (turn < this.answered) return;
    this.answered = turn;
    this.known = row && { reason: row.reason, since: row.since.toISOString() };
    this.loadedAtMs = performance.now();
  }
}
