import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** A host has left for good: whatever it still held has to go to others. Called inside the detaching transaction. */
export type HostDetachedListener = (manager: EntityManager, hostId: string) => Promise<void>;

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

  async emitDetached(manager: EntityManager, hostId: string): Promise<void> {
    for (const listener of this.detachedListeners) await listener(manager, hostId);
  }
}
