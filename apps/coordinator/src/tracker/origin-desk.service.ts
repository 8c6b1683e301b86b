import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import {
  advanceGrant,
  chunksOf,
  grantFromOrigin,
  isBitmapOf,
  originPolicyOf,
  type OriginDecision,
  type OriginPolicy,
  type OriginStep,
} from '@gleaner/domain';
import type { OriginTicketsAnswer, OriginTicketsRequest } from '@gleaner/protocol';
import { Deliveries, type Delivery } from '../blobs/index.js';
import { CONFIG, type Config } from '../config/index.js';
import { DomainError, InvalidRequestError, type HostActor } from '../http/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { SWARM_BOARD } from './board-provider.js';
import { Certificates } from './certificates.service.js';
import { Revocations } from './revocations.service.js';
import { chunkCountOf, type SwarmBoard, type SwarmFile } from './swarm-board.js';
import { SwarmFiles } from './swarm-files.service.js';
import { TrafficLedger } from './traffic-ledger.service.js';

/** What a line without a cap is taken for: a gigabit. */
const UNCAPPED_BYTES_PER_SECOND = 125_000_000;
/** Wanted chunks that one request's decision looks at; a host that wants more asks again soon. */
const CONSIDERED_CHUNKS = 512;

/** Says which chunks a host should fetch from the origin, and watches it fetch them. */
@Injectable()
export class OriginDesk implements OnModuleInit {
  constructor(
    private readonly certificates: Certificates,
    private readonly files: SwarmFiles,
    private readonly revocations: Revocations,
    private readonly ledger: TrafficLedger,
    private readonly deliveries: Deliveries,
    @Inject(SWARM_BOARD) private readonly board: SwarmBoard,
    @Inject(CONFIG) private readonly config: Pick<Config, 'originBytesPerSecond'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.deliveries.onBegun((delivery) => {
      this.watch(delivery).catch((error: unknown) => this.warn(delivery.hostId, error));
    });
  }

  async grant(actor: HostActor, body: OriginTicketsRequest): Promise<OriginTicketsAnswer> {
    const { manifestId, peerId, count, urgent } = body;
    const { hostId } = actor;
    await this.certificates.requireOwn(hostId, peerId);
    const file = await this.files.find(hostId, manifestId);
    if (!file)
      throw new DomainError('forbidden', `No open task of this host needs the manifest ${manifestId}.`);
    const wanted = considered(file, body.wanted);
    const { barredHosts } = await this.revocations.current();
    const { policy } = this;
    const nowMs = Date.now();
    let decision: OriginDecision | undefined;
    await this.board.decideGrants(
      { manifestId, hostId, chunkBytes: file.chunkBytes, chunks: wanted, nowMs },
      (view) => {
        decision = grantFromOrigin(
          { hostId, wanted, count, urgent },
          { ...view, chunkBytes: file.chunkBytes, isDistrusted: (host) => barredHosts.has(host) },
          policy,
          nowMs,
        );
        return decision.grants;
      },
    );
    return {
      chunks: [...(decision?.grants.keys() ?? [])],
      otherwise: decision?.otherwise ?? 'elsewhere',
      retryAfterMs: decision?.retryAfterMs ?? policy.elsewhereRetryMs,
    };
  }

  private get policy(): OriginPolicy {
    return originPolicyOf(this.config.originBytesPerSecond ?? UNCAPPED_BYTES_PER_SECOND);
  }

  /** Follows a host that fetches chunks, from when it comes for them until it has them or hangs up. */
  private async watch({ hostId, sha256, atMs, startByte, endByte, sentBytes }: Delivery): Promise<void> {
    if (!(await this.certificates.takesPart(hostId))) return;
    const file = await this.files.findByContent(hostId, sha256);
    if (!file) return;
    const asked = wholeChunks(file, startByte, endByte ?? file.sizeBytes);
    // A board that is away now may be back when the last byte has gone.
    await this.advance(file, asked, hostId, 'begun', atMs).catch((error: unknown) =>
      this.warn(hostId, error),
    );
    const sent = await sentBytes;
    if (sent > 0) await this.ledger.sentByOrigin(hostId, file, sent);
    const fetched = wholeChunks(file, startByte, startByte + sent);
    await this.advance(file, fetched, hostId, 'fetched', Date.now());
    await this.advance(file, asked.slice(fetched.length), hostId, 'broken-off', Date.now());
  }

  private async advance(
    { manifestId, chunkBytes }: SwarmFile,
    chunks: readonly number[],
    hostId: string,
    step: OriginStep,
    nowMs: number,
  ): Promise<void> {
    const { policy } = this;
    await this.board.changeGrants({ manifestId, hostId, chunkBytes, chunks, nowMs }, (grant) =>
      advanceGrant(grant, step, policy, nowMs),
    );
  }

  private warn(hostId: string, error: unknown): void {
    this.logger.warn({ event: 'origin-delivery-not-noted', hostId, err: error });
  }
}

/** Wanted chunks from a random one on, so that hosts that want the same do not all ask for the same first. */
function considered(file: SwarmFile, wanted: string): number[] {
  const bitmap = new Uint8Array(Buffer.from(wanted, 'base64'));
  const chunks = chunkCountOf(file);
  if (!isBitmapOf(bitmap, chunks)) {
    throw new InvalidRequestError([
      { pointer: '/wanted', detail: `must be a bitmap of the ${chunks} chunks of the file` },
    ]);
  }
  const all = chunksOf(bitmap, chunks);
  const from = Math.floor(Math.random() * all.length);
  return [...all.slice(from), ...all.slice(0, from)].slice(0, CONSIDERED_CHUNKS);
}

/** The chunks that lie wholly between two bytes, `endByte` exclusive. */
function wholeChunks({ sizeBytes, chunkBytes }: SwarmFile, startByte: number, endByte: number): number[] {
  const chunks: number[] = [];
  for (let chunk = Math.ceil(startByte / chunkBytes); chunk * chunkBytes < endByte; chunk += 1) {
    if (Math.min((chunk + 1) * chunkBytes, sizeBytes) <= endByte) chunks.push(chunk);
  }
  return chunks;
}
