import { Injectable } from '@nestjs/common';
import type { ApprovedDevice, HostFacts, WaitingDevice } from '@gleaner/protocol';
import { DataSource, LessThan } from 'typeorm';
import { LastingChanges, requireLiving } from '../accounts/index.js';
import { AuditLog } from '../audit/index.js';
import { DomainError, drawSecret, hashSecret, NotFoundError, type Actor } from '../http/index.js';
import { HostsService, type Attachment } from '../hosts/index.js';
import { DeviceCodeEntity } from './device-code.entity.js';
import { drawUserCode, normaliseUserCode } from './user-code.js';

const EXPIRES_IN_SECONDS = 15 * 60;
const INTERVAL_SECONDS = 2;

/** Device authorization after RFC 8628: the host asks, a person approves, the host becomes one of theirs. */
@Injectable()
export class DevicesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly hosts: HostsService,
    private readonly audit: AuditLog,
    private readonly changes: LastingChanges,
  ) {}

  /** @param network where the host asks from, null where that is not known */
  async begin(
    host: HostFacts,
    network: string | null,
  ): Promise<{
    deviceCode: string;
    userCode: string;
    expiresInSeconds: number;
    intervalSeconds: number;
  }> {
    const codes = this.dataSource.getRepository(DeviceCodeEntity);
    await codes.delete({ expiresAt: LessThan(new Date()) });
    const deviceCode = drawSecret();
    const userCode = drawUserCode();
    await codes.insert({
      secretSha256: hashSecret(deviceCode),
      userCode,
      host,
      network,
      state: 'pending',
      accountId: null,
      expiresAt: new Date(Date.now() + EXPIRES_IN_SECONDS * 1000),
    });
    return { deviceCode, userCode, expiresInSeconds: EXPIRES_IN_SECONDS, intervalSeconds: INTERVAL_SECONDS };
  }

  /**
   * What waits with this code, so that a person approves no other machine than the one they look at: whoever sends them a
   * link with a code of their own (RFC 8628 §5.4) sits elsewhere as a rule.
   *
   * @param network where the person asks from, null where that is not known
   */
  async waiting(actor: Actor, typedCode: string, network: string | null): Promise<WaitingDevice> {
    requireApprover(actor);
    const userCode = normaliseUserCode(typedCode);
    const code = await this.dataSource.getRepository(DeviceCodeEntity).findOneBy({ userCode });
    if (!isWaiting(code)) throw new NotFoundError(`host that waits with the code ${userCode}`);
    const expiresMs = code.expiresAt.getTime();
    return {
      host: code.host,
      network: code.network,
      isYourNetwork: code.network === null || network === null ? null : code.network === network,
      askedAt: new Date(expiresMs - EXPIRES_IN_SECONDS * 1000).toISOString(),
      expiresAt: code.expiresAt.toISOString(),
    };
  }

  /** Lets the host join the caller's account, or turns it away. A code is decided once. */
  async decide(actor: Actor, typedCode: string, approve: boolean): Promise<ApprovedDevice> {
    requireApprover(actor);
    this.changes.take(actor, 'others');
    const userCode = normaliseUserCode(typedCode);
    return await this.dataSource.transaction(async (manager) => {
      // The log would keep what the machine is called.
      await requireLiving(manager, actor.accountId);
      const code = await manager.findOne(DeviceCodeEntity, {
        where: { userCode },
        lock: { mode: 'pessimistic_write' },
      });
      if (!isWaiting(code)) {
        throw new NotFoundError(`host that waits with the code ${userCode}`);
      }
      await manager.update(
        DeviceCodeEntity,
        { userCode },
        { state: approve ? 'approved' : 'denied', accountId: actor.accountId },
      );
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: approve ? 'device.approve' : 'device.deny',
        subject: `host ${code.host.name}`,
      });
      return { approved: approve, host: code.host };
    });
  }

  /** Attaches an approved host, once. */
  async redeem(deviceCode: string, network: string): Promise<Attachment> {
    const secretSha256 = hashSecret(deviceCode);
    const code = await this.dataSource.manager.findOneBy(DeviceCodeEntity, { secretSha256 });
    if (!code || code.expiresAt <= new Date()) {
      throw new DomainError('expired-code', 'The code is unknown or no longer valid: attach again.');
    }
    if (code.state === 'denied') throw new DomainError('access-denied', 'The request was turned down.');
    const { accountId, host } = code;
    if (code.state === 'pending' || accountId === null) {
      throw new DomainError('authorization-pending', 'Nobody has approved this host yet.');
    }
    // Together: a code that was used up without a host would have to be approved anew.
    return await this.dataSource.transaction(async (manager) => {
      // Before the code, as whoever deletes the account.
      await requireLiving(manager, accountId);
      const { affected } = await manager.delete(DeviceCodeEntity, { secretSha256, state: 'approved' });
      if (affected !== 1) throw new DomainError('expired-code', 'The code was used already: attach again.');
      return await this.hosts.attachIn(manager, approver(accountId), host, network);
    });
  }
}

function requireApprover(actor: Actor): void {
  if (actor.hostId !== null || !actor.scopes.includes('work')) {
    throw new DomainError('forbidden', 'Approving a host needs a person’s token with the scope "work".');
  }
}

function isWaiting(code: DeviceCodeEntity | null): code is DeviceCodeEntity {
  return code?.state === 'pending' && code.expiresAt > new Date();
}

/** The person who approved, with no more rights than attaching needs. */
function approver(accountId: string): Actor {
  return { tokenId: '0', accountId, hostId: null, scopes: ['work'], operator: false, anonymous: false };
}
