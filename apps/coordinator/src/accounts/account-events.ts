import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** Accounts have become one person's. Called inside the transaction that links them, so that no link goes unnoticed. */
export type AccountsLinkedListener = (manager: EntityManager, accountIds: readonly string[]) => Promise<void>;

/** A token ends before its time. Called inside the transaction that revokes it; what it returns is called after the commit. */
export type TokenRevokedListener = (manager: EntityManager, tokenId: string) => Promise<() => void>;

/** Where other features learn what happens to accounts, without accounts knowing of them. */
@Injectable()
export class AccountEvents {
  private readonly linkedListeners: AccountsLinkedListener[] = [];
  private readonly revokedListeners: TokenRevokedListener[] = [];

  onLinked(listener: AccountsLinkedListener): void {
    this.linkedListeners.push(listener);
  }

  async emitLinked(manager: EntityManager, accountIds: readonly string[]): Promise<void> {
    for (const listener of this.linkedListeners) await listener(manager, accountIds);
  }

  onTokenRevoked(listener: TokenRevokedListener): void {
    this.revokedListeners.push(listener);
  }

  /** @returns to be called after the commit */
  async emitTokenRevoked(manager: EntityManager, tokenId: string): Promise<() => void> {
    const following: Array<() => void> = [];
    for (const listener of this.revokedListeners) following.push(await listener(manager, tokenId));
    return () => {
      for (const follow of following) follow();
    };
  }
}
