import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AccountEvents } from '../accounts/index.js';
import { HostEvents } from '../hosts/index.js';
import { Revocations } from './revocations.service.js';

/** A host that may not work any more is not in the swarm any more: its certificates end with its token. */
@Injectable()
export class SwarmHooks implements OnModuleInit {
  constructor(
    private readonly hostEvents: HostEvents,
    private readonly accountEvents: AccountEvents,
    private readonly revocations: Revocations,
  ) {}

  onModuleInit(): void {
    this.hostEvents.onDetached(async (manager, hostIds) => {
      for (const hostId of hostIds) await this.revocations.revokeOfHost(manager, hostId);
      return () => this.revocations.forget();
    });
    this.accountEvents.onTokenRevoked(async (manager, tokenId) => {
      await this.revocations.revokeOfToken(manager, tokenId);
      return () => this.revocations.forget();
    });
  }
}
