import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AccountEvents } from '../accounts/index.js';
import { AccessChanges } from '../http/index.js';
import { HostEvents } from '../hosts/index.js';
import { QUEUES, QueueService } from '../queue/index.js';
import { HostDirectory } from './host-directory.js';
import { LINK_SETTLES_MS } from '../validation/index.js';
import { LeasesService } from './leases.service.js';

/** The transaction that linked the accounts has ended, and those that did not see it as well. */
const LINK_DELAY_MS = LINK_SETTLES_MS + 200;

/** What dispatch has to do when hosts leave and accounts become one person's. */
@Injectable()
export class EventHooks implements OnModuleInit {
  constructor(
    private readonly hostEvents: HostEvents,
    private readonly accountEvents: AccountEvents,
    private readonly accessChanges: AccessChanges,
    private readonly hosts: HostDirectory,
    private readonly leases: LeasesService,
    private readonly queues: QueueService,
  ) {}

  onModuleInit(): void {
    this.accessChanges.onChanged(() => this.hosts.forgetAll());
    this.hostEvents.onDetached(async (manager, hostIds) => {
      const announce = await this.leases.returnAllOf(manager, hostIds);
      return () => {
        this.hosts.forgetAll();
        announce();
      };
    });
    this.hostEvents.onChanged((hostId) => this.hosts.forget(hostId));
    this.accountEvents.onLinked(async (manager, accountIds) => {
      this.hosts.forgetAll();
      await manager.query('INSERT INTO link_review (account_ids) VALUES ($1)', [accountIds]);
      // Only to be sooner than the review that comes anyway.
      void this.queues.queue(QUEUES.link).announce({}, { delayMs: LINK_DELAY_MS });
    });
  }
}
