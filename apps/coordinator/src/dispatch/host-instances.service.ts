import { Injectable } from '@nestjs/common';
import { type HeardInstance, hearInstance, INSTANCE_GONE_MS, isUsedTwice } from '@gleaner/domain';
import { BoundedCache } from '../http/index.js';

const REMEMBERED_HOSTS = 50_000;

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

  /** Notes that an instance has called. @returns whether another one works as the host at the same time */
  isUsedTwice(hostId: string, instance: string | undefined): boolean {
    if (instance === undefined) return false;
    const heard = hearInstance(this.heard.get(hostId) ?? [], instance, performance.now());
    this.heard.set(hostId, heard);
    return isUsedTwice(heard);
  }
}
