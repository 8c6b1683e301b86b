import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/**
 * Hosts have left for good: whatever they still held has to go to others. Called inside the detaching transaction; what it
 * returns is called after the commit.
 */
export type HostDetachedListener = (
  manager: EntityManager,
  hostIds: readonly string[],
) => Promise<() => void>;

/** Something about a host has changed that whoever remembers hosts has to read anew. Called after the commit. */
export type HostChangedListener = (hostId: string) => void;

/** Where other features learn what happens to hosts, without hosts knowing of them. */
@Injectable()
export class HostEvents {
  private readonly detachedListeners: HostDetachedListener[] = [];
  private readonly changedListeners: HostChangedListener[] = [];

  onDetached(listener: HostDetachedListener): void {
    this.detachedListeners.push(listener);
  }

  onChanged(listener: HostChangedListener): void {
    this.changedListeners.push(listener);
  }

  emitChanged(hostId: string): void {
    for (const listener of this.changedListeners) listener(hostId);
  }

  /** All that one transaction detaches. @returns to be called after the commit */
  async emitDetached(manager: EntityManager, hostIds: readonly string[]): Promise<() => void> {
    const following: Array<() => void> = [];
    for (const listener of this.detachedListeners) following.push(await listener(manager, hostIds));
    return () => {
      for (const follow of following) follow();
    };
  }
}
