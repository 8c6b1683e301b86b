import { Inject, Injectable } from '@nestjs/common';
import {
  bitmapOf,
  countCopies,
  planReplicas,
  type HolderClaim,
  type ReplicaCandidate,
} from '@gleaner/domain';
import { SWARM_LIMITS, type SwarmReplicasAnswer, type SwarmReplicasRequest } from '@gleaner/protocol';
import { PATHS, type HostActor } from '../http/index.js';
import { SWARM_BOARD } from './board-provider.js';
import { Certificates } from './certificates.service.js';
import { chunkCountOf, type SwarmBoard, type SwarmFile } from './swarm-board.js';
import { SwarmCopies } from './swarm-copies.service.js';
import { SwarmFiles } from './swarm-files.service.js';
import { SwarmSigner } from './swarm-signer.js';

/** Files whose copies one request counts; drawn at random, so that all have their turn. */
const CONSIDERED_FILES = 32;
/** A host that has not announced what it was asked to keep after this does not keep it. */
const OFFER_MS = 10 * 60 * 1000;
const RETRY_MS = { offered: 60_000, nothing: 300_000 } as const;

/** Finds places for chunks of open jobs that too few volunteers hold. */
@Injectable()
export class Replicas {
  constructor(
    private readonly certificates: Certificates,
    private readonly files: SwarmFiles,
    private readonly copies: SwarmCopies,
    private readonly signer: SwarmSigner,
    @Inject(SWARM_BOARD) private readonly board: SwarmBoard,
  ) {}

  async offer(actor: HostActor, body: SwarmReplicasRequest): Promise<SwarmReplicasAnswer> {
    const { hostId } = actor;
    await this.certificates.requireOwn(hostId, body.peerId);
    const holds = new Set(body.holds);
    const open = await this.files.openInputs();
    const files = new Map(drawn(open, CONSIDERED_FILES).map((file) => [file.manifestId, file]));
    const candidates = await Promise.all(
      [...files.values()].map((file) => this.candidate(file, hostId, holds.has(file.manifestId))),
    );
    const plans = planReplicas(
      candidates,
      { freeBytes: body.freeBytes, holds, mostFiles: SWARM_LIMITS.replicaOffers },
      Math.random,
    );
    const offers: SwarmReplicasAnswer['offers'] = [];
    for (const { manifestId, chunks } of plans) {
      const file = files.get(manifestId);
      if (!file) continue;
      await this.board.offer(manifestId, { hostId, have: chunks }, OFFER_MS);
      await this.files.entitle(hostId, file);
      offers.push({
        location: locationOf(file),
        ticket: this.signer.ticket(body.peerId, manifestId),
        chunks: Buffer.from(chunks).toString('base64'),
      });
    }
    return { offers, retryAfterMs: offers.length > 0 ? RETRY_MS.offered : RETRY_MS.nothing };
  }

  private async candidate(file: SwarmFile, hostId: string, isHeld: boolean): Promise<ReplicaCandidate> {
    const { manifestId, chunkBytes, sizeBytes } = file;
    const chunks = chunkCountOf(file);
    const offered = await this.board.offers(manifestId);
    // What a host was asked for and has by now is one copy: to know that takes everybody's word, not the counts at hand.
    const said = isHeld || offered.length > 0 ? await this.board.claims(manifestId) : null;
    const copies = said ? countCopies([...said, ...offered], chunks) : await this.copies.copiesOf(file);
    const isOwn = ({ hostId: holder }: HolderClaim): boolean => holder === hostId;
    const own = said?.some(isOwn) ? countCopies([...said, ...offered].filter(isOwn), chunks) : null;
    return {
      manifestId,
      chunkBytes,
      sizeBytes,
      copies,
      own:
        own &&
        bitmapOf(
          chunks,
          [...own.keys()].filter((chunk) => (own[chunk] ?? 0) > 0),
        ),
    };
  }
}

function locationOf({ manifestId, sha256, sizeBytes }: SwarmFile) {
  const blobId = `sha256:${sha256}`;
  return {
    blobId,
    manifestId,
    sizeBytes,
    manifestUrl: PATHS.blobManifest(blobId),
    contentUrl: PATHS.blobContent(blobId),
  };
}

function drawn<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return items
    .map((item) => ({ item, draw: Math.random() }))
    .toSorted((a, b) => a.draw - b.draw)
    .slice(0, count)
    .map(({ item }) => item);
}
