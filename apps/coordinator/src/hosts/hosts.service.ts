import { Inject, Injectable } from '@nestjs/common';
import { countedCores, initialAllowancePerDay, nextWishesVersion } from '@gleaner/domain';
import { canonicalJson, type Host, type HostFacts, type UpdateHost } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { insertAccount, insertToken, LastingChanges, requireLiving } from '../accounts/index.js';
import { AuditLog } from '../audit/index.js';
import { CONFIG, type Config } from '../config/index.js';
import { renameOnBoards } from '../credit/index.js';
import {
  DomainError,
  drawSecret,
  idFromCursor,
  NotFoundError,
  RateLimiter,
  tellAccessChanged,
  TokenDirectory,
  toPage,
  type Actor,
  type Page,
} from '../http/index.js';
import { requireFewHosts } from './attached-hosts.js';
import { HostEvents } from './host-events.js';
import { isOwnHost, OWN_ACCOUNTS } from './host-ownership.js';
import { HOST_SELECT, hostRow, presentHost, type HostRow } from './host-rows.js';
import { HostEntity } from './host.entity.js';

const HOUR_MS = 3_600_000;

export interface Attachment {
  readonly hostId: string;
  readonly accountId: string;
  readonly anonymous: boolean;
  readonly secret: string;
}

@Injectable()
export class HostsService {
  private readonly anonymousAttaches: RateLimiter;

  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
    private readonly events: HostEvents,
    private readonly tokens: TokenDirectory,
    private readonly changes: LastingChanges,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.anonymousAttaches = new RateLimiter(config.attachesPerHour, HOUR_MS);
  }

  /** Exchanges a token of a person, or nothing, for one that can only work, and only as the new host. */
  async attach(actor: Actor | null, facts: HostFacts, network: string): Promise<Attachment> {
    if (actor !== null && actor.hostId !== null)
      throw new DomainError('forbidden', 'This token is a host’s already: use it to work.');
    if (actor && !actor.scopes.includes('work')) {
      throw new DomainError('forbidden', 'Attaching a host needs a token with the scope "work".');
    }
    if (!actor) this.limitAnonymous(network);
    else this.changes.take(actor, 'machines');
    return await this.dataSource.transaction((manager) => this.attachIn(manager, actor, facts, network));
  }

  /** {@link attach} within the transaction of somebody who knows that the caller may. */
  async attachIn(
    manager: EntityManager,
    actor: Actor | null,
    facts: HostFacts,
    network: string,
  ): Promise<Attachment> {
    if (actor) await requireLiving(manager, actor.accountId);
    if (actor) await requireFewHosts(manager, actor.accountId);
    const accountId =
      actor?.accountId ??
      // Not the machine's name: everybody reads the boards.
      (await insertAccount(manager, { name: `anonymous ${facts.kind}`, operator: false, anonymous: true }))
        .id;
    const anonymous = actor?.anonymous ?? true;
    const host = await this.insertHost(manager, { accountId, anonymous }, facts, network);
    const secret = drawSecret();
    await insertToken(manager, {
      accountId,
      hostId: host.id,
      secret,
      label: `host ${facts.name}`,
      scopes: ['work'],
    });
    return { hostId: host.id, accountId, anonymous, secret };
  }

  /** One's own hosts, those of claimed accounts included; of a host only itself; operators may name any account. */
  async list(
    actor: Actor,
    accountId: string,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<Host>> {
    if (accountId !== actor.accountId && !actor.operator) {
      throw new DomainError('forbidden', 'Only operators see the hosts of other accounts.');
    }
    const rows = await this.select(
      `WHERE h.account_id IN (${OWN_ACCOUNTS}) AND h.id < $2 AND h.detached_at IS NULL AND ($3::bigint IS NULL OR h.id = $3)
       ORDER BY h.id DESC LIMIT $4`,
      [accountId, idFromCursor(cursor), actor.hostId, limit + 1],
    );
    return toPage(
      rows,
      limit,
      (row) => this.present(row, actor),
      ({ id }) => [id],
    );
  }

  /** @param manager of the caller's transaction: who holds a connection and waits for another may wait for ever */
  async get(actor: Actor, hostId: string, manager = this.dataSource.manager): Promise<Host> {
    const [row] = await this.select('WHERE h.id = $1 AND h.detached_at IS NULL', [hostId], manager);
    if (!row) throw new NotFoundError(`host ${hostId}`);
    const owned = { id: row.id, accountId: row.account_id };
    if (!actor.operator && !(await isOwnHost(manager, actor, owned))) {
      throw new NotFoundError(`host ${hostId}`);
    }
    return this.present(row, actor);
  }

  /** Hosts that wait for an operator's review, in the order of their ids; at most `limit`. */
  async listHeld(limit: number): Promise<Host[]> {
    const rows = await this.select(
      'WHERE h.held_reason IS NOT NULL AND h.detached_at IS NULL ORDER BY h.id LIMIT $1',
      [limit],
    );
    return rows.map((row) => this.present(row, null));
  }

  /**
   * What the owner calls the host and wishes of it. The host hears of wishes when it next calls.
   *
   * @param checkVersion throws where the caller has read another version
   */
  async update(
    actor: Actor,
    hostId: string,
    changes: UpdateHost,
    checkVersion: (current: Host) => void,
  ): Promise<Host> {
    if (actor.hostId !== null) throw new DomainError('forbidden', 'Only its owner changes a host from afar.');
    const changed = await this.dataSource.transaction(async (manager) => {
      const host = await lockHost(manager, hostId);
      // Not even an operator decides what other people's machines do.
      if (host.detachedAt !== null || !(await isOwnHost(manager, actor, host)))
        throw new NotFoundError(`host ${hostId}`);
      checkVersion(await this.get(actor, hostId, manager));
      const { name = host.name, run = host.wishedRun } = changes;
      const preferences = changes.preferences === undefined ? host.wishedPreferences : changes.preferences;
      const isWish = run !== host.wishedRun || !isSame(preferences, host.wishedPreferences);
      const isNamed = host.isNamed || changes.name !== undefined;
      const wishesVersion = isWish ? nextWishesVersion(host.wishesVersion, Date.now()) : host.wishesVersion;
      await manager.update(HostEntity, { id: hostId }, { name, isNamed, wishedRun: run, wishesVersion });
      await manager.query('UPDATE host SET wished_preferences = $2 WHERE id = $1', [
        hostId,
        preferences === null ? null : JSON.stringify(preferences),
      ]);
      // Boards name no machine of an anonymous account, claimed or not.
      if (changes.name !== undefined && host.accountId === actor.accountId) {
        await renameOnBoards(manager, 'hosts', [hostId], name);
      }
      if (isWish) await tellAccessChanged(manager);
      return isWish;
    });
    if (changed) this.events.emitChanged(hostId);
    return await this.get(actor, hostId);
  }

  /** Ends the host's token and gives what it computes to others. Its credit stays. Repeating it changes nothing. */
  async detach(actor: Actor, hostId: string): Promise<void> {
    if (!actor.operator && !actor.scopes.includes('work')) {
      throw new DomainError('forbidden', 'Detaching a host needs a token with the scope "work".');
    }
    const follow = await this.dataSource.transaction(async (manager) => {
      const host = await lockHost(manager, hostId);
      if (!actor.operator && !(await isOwnHost(manager, actor, host)))
        throw new NotFoundError(`host ${hostId}`);
      if (host.detachedAt !== null) return undefined;
      await manager.update(HostEntity, { id: hostId }, { detachedAt: () => 'now()' });
      // Tokens are found by their account; of everybody's there are hundreds of thousands.
      await manager.query(
        'UPDATE api_token SET revoked_at = now() WHERE account_id = $1 AND host_id = $2 AND revoked_at IS NULL',
        [host.accountId, hostId],
      );
      const following = await this.events.emitDetached(manager, [hostId]);
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: 'host.detach',
        subject: `host ${hostId}`,
      });
      return following;
    });
    follow?.();
    this.tokens.forgetAll();
  }

  /** An operator keeps a host from getting work and credit, or with null lets it have both again. */
  async hold(actor: Actor, hostId: string, reason: string | null): Promise<Host> {
    await this.dataSource.transaction(async (manager) => {
      const { heldReason, detachedAt } = await lockHost(manager, hostId);
      if (detachedAt !== null) throw new NotFoundError(`host ${hostId}`);
      const isReleased = reason === null && heldReason !== null;
      await manager.update(
        HostEntity,
        { id: hostId },
        { heldReason: reason, ...(isReleased && { releasedAt: () => 'now()' }) },
      );
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: reason === null ? 'host.release' : 'host.hold',
        subject: `host ${hostId}`,
        ...(reason === null ? {} : { detail: { reason } }),
      });
    });
    this.events.emitChanged(hostId);
    return await this.get(actor, hostId);
  }

  private limitAnonymous(network: string): void {
    const decision = this.anonymousAttaches.take(network);
    if (decision.allowed) return;
    throw new DomainError(
      'rate-limited',
      `Too many anonymous hosts came from your network. Try again in ${decision.resetSeconds} s, or attach with a token.`,
      { headers: { 'retry-after': String(decision.resetSeconds) } },
    );
  }

  private async insertHost(
    manager: EntityManager,
    { accountId, anonymous }: { accountId: string; anonymous: boolean },
    facts: HostFacts,
    network: string,
  ): Promise<HostEntity> {
    const host = await manager.save(HostEntity, {
      ...facts,
      accountId,
      // A machine's own name is not for everybody to read.
      isNamed: facts.isNamed ?? false,
      network,
      heldReason: null,
      lastSeenAt: null,
      detachedAt: null,
    });
    await manager.query('INSERT INTO host_standing (host_id, allowance_per_day) VALUES ($1, $2)', [
      host.id,
      initialAllowancePerDay(
        countedCores({ declared: facts.cores, anonymous, validTasks: 0 }),
        this.config.allowance,
      ),
    ]);
    return host;
  }

  private async select(
    condition: string,
    parameters: readonly unknown[],
    manager = this.dataSource.manager,
  ): Promise<HostRow[]> {
    return z.array(hostRow).parse(await manager.query(`${HOST_SELECT} ${condition}`, [...parameters]));
  }

  private present(row: HostRow, viewer: Actor | null): Host {
    const host = presentHost(row, this.config.allowance, Date.now());
    // Operators see others' machines, but not when their owners sit at them.
    const isOthers = viewer === null || (viewer.operator && row.account_id !== viewer.accountId);
    return isOthers ? { ...host, state: null } : host;
  }
}

function isSame(a: UpdateHost['preferences'], b: UpdateHost['preferences']): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

async function lockHost(manager: EntityManager, hostId: string): Promise<HostEntity> {
  const host = await manager.findOne(HostEntity, {
    where: { id: hostId },
    lock: { mode: 'pessimistic_write' },
  });
  if (!host) throw new NotFoundError(`host ${hostId}`);
  return host;
}
