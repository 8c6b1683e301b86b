import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AccountEvents } from '../accounts/index.js';
import { HostEvents } from '../hosts/index.js';
import { type LinkData, QUEUES, QueueService } from '../queue/index.js';
import { HostDirectory } from './host-directory.js';
import { LeasesService } from './leases.service.js';

/** Not a matter for sweeps: where the queue does not take it, the claim is refused and may be repeated. */
const LINK_WITHIN_MS = 2_000;
/** The transaction that linked the accounts has ended long before. */
const LINK_DELAY_MS = 3_000;

/** What dispatch has to do when hosts leave and accounts become one person's. */
@Injectable()
export class EventHooks implements OnModuleInit {
  constructor(
    private readonly hostEvents: HostEvents,
    private readonly accountEvents: AccountEvents,
    private readonly hosts: HostDirectory,
    private readonly leases: LeasesService,
    private readonly queues: QueueService,
  ) {}

  onModuleInit(): void {
    this.hostEvents.onDetached(async (manager, hostId) => {
      await this.leases.returnAllOf(manager, hostId);
      this.hosts.forgetAll();
    });
    this.accountEvents.onLinked(async (_manager, accountIds) => {
      this.hosts.forgetAll();
      await this.queues
        .queue<LinkData>(QUEUES.link)
        .add({ accountIds }, { delayMs: LINK_DELAY_MS, attempts: 5, withinMs: LINK_WITHIN_MS });
    });
  }
}
