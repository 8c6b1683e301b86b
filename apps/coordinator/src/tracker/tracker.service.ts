import { Inject, Injectable } from '@nestjs/common';
import {
  ACCUSATION_WINDOW_MS,
  ACCUSATIONS_PER_PERSON,
  announceIntervalMs,
  BAD_PEER_BAR_MS,
  choosePeers,
  chunksOf,
  isBitmapOf,
  isGuiltConfirmed,
  networkPrefix,
  regionPrefix,
} from '@gleaner/domain';
import type { SwarmAnnounce, SwarmAnnounceAnswer } from '@gleaner/protocol';
import {
  encodePeerRecord,
  encodeTicket,
  judgePeerRecord,
  judgeTicket,
  type TrustRoot,
} from '@gleaner/swarm/auth';
import { CONFIG, type Config } from '../config/index.js';
import { DomainError, InvalidRequestError, type HostActor } from '../http/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { SWARM_BOARD } from './board-provider.js';
import { Certificates } from './certificates.service.js';
import { People } from './people.service.js';
import { Revocations } from './revocations.service.js';
import {
  chunkCountOf,
  type AnnounceOutcome,
  type SwarmBoard,
  type SwarmFile,
  type SwarmMember,
} from './swarm-board.js';
import { SwarmFiles } from './swarm-files.service.js';
import { SwarmSigner } from './swarm-signer.js';

/** Random peers of each kind (network, region, all) that an answer is chosen from. */
const CANDIDATES = 60;
/** A peer that missed so many announces is gone. */
const MISSED_ANNOUNCES = 3;
const GRACE_MS = 30_000;

/** Who shares what. */
@Injectable()
export class Tracker {
  constructor(
    private readonly certificates: Certificates,
    private readonly files: SwarmFiles,
    private readonly revocations: Revocations,
    private readonly signer: SwarmSigner,
    private readonly people: People,
    @Inject(SWARM_BOARD) private readonly board: SwarmBoard,
    @Inject(CONFIG) private readonly config: Pick<Config, 'allowSameNetwork'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param address that the host called from */
  async announce(actor: HostActor, address: string, body: SwarmAnnounce): Promise<SwarmAnnounceAnswer> {
    const { manifestId } = body;
    const { body: certificate } = body.record.certificate;
    await this.certificates.requireOwn(actor.hostId, certificate.peerId);
    const revoked = await this.revocations.current();
    await this.requireValidRecord(body, revoked.serials);
    const file =
      (await this.files.find(actor.hostId, manifestId)) ?? (await this.remember(actor.hostId, body));
    if (!file)
      throw new DomainError('forbidden', `No open task of this host needs the manifest ${manifestId}.`);
    const have = new Uint8Array(Buffer.from(body.have, 'base64'));
    const chunks = chunkCountOf(file);
    if (!isBitmapOf(have, chunks)) {
      throw new InvalidRequestError([
        { pointer: '/have', detail: `must be a bitmap of the ${chunks} chunks of the file` },
      ]);
    }
    const network = networkPrefix(address);
    const member: SwarmMember = {
      peerId: certificate.peerId,
      hostId: actor.hostId,
      accountId: actor.accountId,
      serial: certificate.serial,
      network,
      region: regionPrefix(network),
      record: body.record,
      have,
    };
    for (const accused of body.badPeers) await this.accuse(file, member, accused);
    const revocations = await this.revocations.since(body.revocationsSeen ?? 0);
    const news = { revoked: revocations.serials, revocations: revocations.seen };
    if (body.isLeaving) {
      await this.board.leave(manifestId, member.peerId);
      return {
        peers: [],
        intervalMs: announceIntervalMs({ peers: 0, isComplete: true, isQuiet: true }),
        ...news,
      };
    }
    const { peers, intervalMs } = await this.note(file, member);
    return { peers, intervalMs, ...news };
  }

  /** What a board that was lost has forgotten: a host may have the file for as long as its ticket says, while the job is open. */
  private async remember(
    hostId: string,
    { manifestId, record, ticket }: SwarmAnnounce,
  ): Promise<SwarmFile | null> {
    if (!ticket) return null;
    const { peerId } = record.record.body;
    const { serials } = await this.revocations.current();
    const untilMs = judgeTicket(encodeTicket(ticket), peerId, manifestId, this.trust(serials));
    return untilMs === undefined ? null : await this.files.entitleAgain(hostId, manifestId, untilMs);
  }

  private async note(file: SwarmFile, member: SwarmMember) {
    const { manifestId } = file;
    const isComplete = chunksOf(member.have, chunkCountOf(file)).length === chunkCountOf(file);
    const intervalOf = ({ peers, hadBefore }: AnnounceOutcome): number =>
      announceIntervalMs({
        peers,
        isComplete,
        isQuiet: hadBefore !== null && Buffer.compare(hadBefore, member.have) === 0,
      });
    const outcome = await this.board.announce(
      manifestId,
      member,
      (seen) => intervalOf(seen) * MISSED_ANNOUNCES + GRACE_MS,
    );
    const { serials, barredHosts } = await this.revocations.current();
    const sampled = newestOfEachHost(await this.board.sample(manifestId, member, CANDIDATES));
    const candidates = sampled.filter(
      (peer) => peer.hostId !== member.hostId && !serials.has(peer.serial) && !barredHosts.has(peer.hostId),
    );
    const chosen = choosePeers(member, candidates, Math.random);
    return { peers: chosen.map(({ record }) => record), intervalMs: intervalOf(outcome) };
  }

  /** The peer signed it, this coordinator vouches for the peer, and nothing has expired or was revoked. */
  private async requireValidRecord(
    { record }: SwarmAnnounce,
    revoked: ReadonlyMap<string, unknown>,
  ): Promise<void> {
    if (judgePeerRecord(encodePeerRecord(record), this.trust(revoked))) return;
    throw new DomainError(
      'forbidden',
      'The record is not signed by its peer, or its certificate is not ours, has expired or was revoked.',
    );
  }

  private trust(revoked: ReadonlyMap<string, unknown>): TrustRoot {
    const coordinatorKey = this.signer.verificationKey;
    return { coordinatorKey, isRevoked: (serial) => revoked.has(serial), now: Date.now };
  }

  /** A peer that is not in this file's swarm cannot have harmed anybody in it. */
  private async accuse(file: SwarmFile, accuser: SwarmMember, peerId: string): Promise<void> {
    const accused = await this.board.findMember(file.manifestId, peerId);
    if (!accused || accused.hostId === accuser.hostId) return;
    const { network } = accuser;
    const [by, whom] = await this.people.find([accuser.accountId, accused.accountId]);
    if (!by || !whom) return;
    const count = await this.board.countAccused(by.personId, peerId, ACCUSATION_WINDOW_MS);
    if (count > ACCUSATIONS_PER_PERSON) return;
    const nowMs = Date.now();
    const accusations = await this.board.accuse(
      peerId,
      { ...by, network, atMs: nowMs },
      ACCUSATION_WINDOW_MS,
    );
    const rules = { nowMs, allowSameNetwork: this.config.allowSameNetwork };
    if (!isGuiltConfirmed(accusations, whom, rules)) return;
    if ((await this.revocations.current()).barredHosts.has(accused.hostId)) return;
    await this.revocations.bar(
      accused.hostId,
      'independent volunteers received wrong data from it',
      BAD_PEER_BAR_MS,
    );
    await this.board.leave(file.manifestId, peerId);
    this.logger.warn({ event: 'swarm-peer-barred', hostId: accused.hostId, manifestId: file.manifestId });
  }
}

/** A host becomes another peer every day, and is known as the one before for a while. */
function newestOfEachHost(members: readonly SwarmMember[]): SwarmMember[] {
  const newest = new Map<string, SwarmMember>();
  for (const member of members) {
    const known = newest.get(member.hostId);
    if (!known || member.record.record.body.seq > known.record.record.body.seq)
      newest.set(member.hostId, member);
  }
  return [...newest.values()];
}
