import { Injectable } from '@nestjs/common';
import {
  type HeardInstance,
  hearInstance,
  INSTANCE_GONE_MS,
  isUsedTwice,
  wasUsedTwice,
} from '@gleaner/domain';
import { BoundedCache } from '../http/index.js';

const REMEMBERED_HOSTS = 50_000;

export interface HostUse {
  /** Another agent works as the host at the same time. */
  readonly isUsedTwice: boolean;
  /** What the caller does not name another agent may be computing. */
  readonly mayBeAnothers: boolean;
}

const USED_ONCE: HostUse = { isUsedTwice: false, mayBeAnothers: false };

/**
 * Which starts of agents work as which host, as this coordinator hears them; in memory alone, since most calls tell nothing
 * new of it. Where each of two agents always reaches another coordinator, nobody notices that there are two.
 */
@Injectable()
export class HostInstances {
  private readonly heard = new BoundedCache<string, readonly HeardInstance[]>(
    REMEMBERED_HOSTS,
    INSTANCE_GONE_MS,
  );

  /** Notes that an instance has called, for the last time if it `hasLeft`. */
  hear(hostId: string, instance: string | undefined, hasLeft: boolean): HostUse {
    if (instance === undefined) return USED_ONCE;
    const heard = hearInstance(this.heard.get(hostId) ?? [], { instance, hasLeft }, performance.now());
    this.heard.set(hostId, heard);
    return { isUsedTwice: isUsedTwice(heard), mayBeAnothers: wasUsedTwice(heard) };
  }
}
