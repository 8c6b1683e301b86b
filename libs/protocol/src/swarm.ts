import { z } from 'zod';
import { canonicalJson, type JsonValue } from './canonical-json.js';
import { LIMITS } from './limits.js';
import { peerAddress } from './peer-address.js';
import { blobId, plainText, sha256Hex } from './primitives.js';

/** Bounds on what hosts and the coordinator tell each other about swarms. */
export const SWARM_LIMITS = {
  /** A certificate may be valid for so long from now, in seconds; clocks may differ by `clockSkewSeconds`. */
  certificateSeconds: 7 * 24 * 3600,
  clockSkewSeconds: 300,
  addressesPerPeer: 8,
  addressLength: 160,
  /** A signed peer record as JSON. */
  recordBytes: 3 * 1024,
  /** A signed ticket as JSON. */
  ticketBytes: 1024,
  peersPerAnnounce: 30,
  originTicketsPerCall: 16,
  reportsPerAnnounce: 16,
  revokedSerials: 10_000,
  manifestsPerTicketCall: 32,
  /** Files of which a host says in a work request what it holds, and runs of chunks that it names of each. */
  heldFiles: 64,
  heldRuns: 16,
  /** Manifests that a host names as held when it offers room for replicas. */
  heldReplicas: 1024,
  replicaOffers: 8,
  filesPerTrafficReport: 64,
} as const;

/** A libp2p peer id of an Ed25519 key in base58: the key itself, and nothing about the person. */
export const peerId = z
  .string()
  .regex(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/, 'must be an Ed25519 peer id')
  .meta({ id: 'PeerId' });

const unixSeconds = z
  .number()
  .int()
  .min(0)
  .max(2 ** 40);
const serial = z.string().regex(/^[0-9a-f]{16,64}$/, 'must be 16 to 64 hexadecimal digits');
const ed25519Signature = z.base64().length(88);

/**
 * The coordinator's word that a peer is an enrolled host. `exp` in seconds since 1970. `host` hides the host's pseudonym: the
 * SHA-256 (hexadecimal) of `gleaner-host <pseudonym> <serial>`, so that certificates of one host have nothing in common.
 */
export const swarmCertificate = z.strictObject({
  kind: z.literal('gleaner-certificate'),
  v: z.literal(1),
  peerId,
  host: plainText(64).min(1),
  role: z.enum(['host', 'origin']),
  serial,
  exp: unixSeconds,
});
export type SwarmCertificate = z.infer<typeof swarmCertificate>;

/** The coordinator's permission for one peer to have one file. `exp` in seconds since 1970. */
export const swarmTicket = z.strictObject({
  kind: z.literal('gleaner-swarm-ticket'),
  v: z.literal(1),
  manifestId: sha256Hex,
  peerId,
  exp: unixSeconds,
});
export type SwarmTicket = z.infer<typeof swarmTicket>;

/** Where a peer can be reached, in its own words; the highest `seq` is the newest. */
export const peerRecord = z.strictObject({
  kind: z.literal('gleaner-peer-record'),
  v: z.literal(1),
  peerId,
  addresses: z.array(peerAddress.max(SWARM_LIMITS.addressLength)).max(SWARM_LIMITS.addressesPerPeer),
  seq: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
});
export type PeerRecord = z.infer<typeof peerRecord>;

/** A body and the Ed25519 signature (base64) over {@link signedBytes} of it. The body's `kind` keeps signatures apart. */
export function signedBody<T extends z.ZodType>(body: T) {
  return z.strictObject({ body, sig: ed25519Signature });
}

export const signedCertificate = signedBody(swarmCertificate).meta({ id: 'SwarmCertificate' });
export type SignedCertificate = z.infer<typeof signedCertificate>;
/**
 * A certificate as its owner has it: with the host's pseudonym, the same in all its certificates, which it tells only peers that
 * have proven to be enrolled.
 */
export const ownCertificate = signedCertificate
  .extend({ pseudonym: z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits') })
  .meta({ id: 'SwarmOwnCertificate' });
export type OwnCertificate = z.infer<typeof ownCertificate>;
export const signedTicket = signedBody(swarmTicket).meta({ id: 'SwarmTicket' });
export type SignedTicket = z.infer<typeof signedTicket>;

/** What each side of a link says first (`/gleaner/auth/2`): who it is, and 32 fresh random bytes in base64. */
export const swarmHello = z.strictObject({ certificate: signedCertificate, nonce: z.base64().length(44) });

/** A peer's record, signed by the peer, with the certificate that makes it worth dialling. */
export const signedPeerRecord = z
  .strictObject({ record: signedBody(peerRecord), certificate: signedCertificate })
  .meta({ id: 'SwarmPeerRecord' });
export type SignedPeerRecord = z.infer<typeof signedPeerRecord>;

/** The bytes that are signed: RFC 8785 JSON in UTF-8. */
export function signedBytes(body: { readonly [key: string]: JsonValue | undefined }): Uint8Array {
  return new TextEncoder().encode(canonicalJson(body));
}

const chunkBitmap = z
  .base64()
  .max(Math.ceil(65_536 / 8 / 3) * 4)
  .describe('Bit `i % 8`, from the least significant, of byte `i / 8` is chunk i; base64.');

const chunkIndex = z.number().int().min(0).max(65_536);

/** Chunks of a file that a host holds: runs of consecutive ones, ascending, `to` exclusive; the longest where there are many. */
export const heldFile = z.strictObject({
  manifestId: sha256Hex,
  runs: z.array(z.strictObject({ from: chunkIndex, to: chunkIndex })).max(SWARM_LIMITS.heldRuns),
});
export type HeldFile = z.infer<typeof heldFile>;

/** A host tells the tracker that it shares a file, and what it has of it. */
export const swarmAnnounce = z
  .strictObject({
    manifestId: sha256Hex,
    record: signedPeerRecord,
    have: chunkBitmap,
    isLeaving: z.boolean().default(false).describe('It shares the file no longer.'),
    ticket: signedTicket
      .optional()
      .describe('The permission to have the file, for a coordinator that has forgotten whom it gave it.'),
    badPeers: z
      .array(peerId)
      .max(SWARM_LIMITS.reportsPerAnnounce)
      .default([])
      .describe('That sent a chunk that is not what the manifest says.'),
    revocationsSeen: z
      .number()
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .describe(
        '`revocations` of the last answer: only what was revoked since is sent; without it, everything.',
      ),
  })
  .meta({ id: 'SwarmAnnounce' });
export type SwarmAnnounce = z.infer<typeof swarmAnnounce>;

export const swarmAnnounceAnswer = z
  .strictObject({
    peers: z.array(signedPeerRecord).max(SWARM_LIMITS.peersPerAnnounce),
    intervalMs: z.number().int().min(100).max(3_600_000).describe('Announce again after this time.'),
    revoked: z
      .array(serial)
      .max(SWARM_LIMITS.revokedSerials)
      .describe('Serials of certificates that no longer count although they have not expired.'),
    revocations: z
      .number()
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('For `revocationsSeen` of the next announce: up to where `revoked` has told.'),
  })
  .meta({ id: 'SwarmAnnounceAnswer' });
export type SwarmAnnounceAnswer = z.infer<typeof swarmAnnounceAnswer>;

/** A host asks which chunks it should fetch from the origin. */
export const originTicketsRequest = z
  .strictObject({
    manifestId: sha256Hex,
    peerId,
    wanted: chunkBitmap,
    count: z.number().int().min(1).max(SWARM_LIMITS.originTicketsPerCall),
    urgent: z.boolean().describe('Peers have failed to deliver these in time.'),
  })
  .meta({ id: 'OriginTicketsRequest' });
export type OriginTicketsRequest = z.infer<typeof originTicketsRequest>;

export const originTicketsAnswer = z
  .strictObject({
    chunks: z
      .array(z.number().int().min(0))
      .max(SWARM_LIMITS.originTicketsPerCall)
      .describe('Those to fetch now, by their places in the file.'),
    otherwise: z
      .enum(['busy', 'elsewhere'])
      .describe('Why there are none: no capacity now, or other hosts are fetching them and will share.'),
    retryAfterMs: z.number().int().min(0).max(60_000).describe('Ask again no sooner than this.'),
  })
  .meta({ id: 'OriginTicketsAnswer' });
export type OriginTicketsAnswer = z.infer<typeof originTicketsAnswer>;

/** A host asks for the certificate of its peer id; asking again renews it. */
export const swarmCertificateRequest = z.strictObject({ peerId }).meta({ id: 'SwarmCertificateRequest' });
export type SwarmCertificateRequest = z.infer<typeof swarmCertificateRequest>;

export const swarmCertificateAnswer = z
  .strictObject({
    certificate: ownCertificate,
    coordinatorKey: z
      .base64()
      .length(60)
      .describe(
        'What signs certificates, tickets and manifests: an Ed25519 public key as SPKI (DER), in base64.',
      ),
    seenAddress: z
      .string()
      .max(64)
      .describe(
        'Where the coordinator sees the host: what other networks can reach, unless a translator stands between.',
      ),
  })
  .meta({ id: 'SwarmCertificateAnswer' });
export type SwarmCertificateAnswer = z.infer<typeof swarmCertificateAnswer>;

/** A host asks for tickets of files that its open tasks, or replicas that it was offered, need. */
export const swarmTicketsRequest = z
  .strictObject({
    peerId,
    manifestIds: z.array(sha256Hex).min(1).max(SWARM_LIMITS.manifestsPerTicketCall),
  })
  .meta({ id: 'SwarmTicketsRequest' });
export type SwarmTicketsRequest = z.infer<typeof swarmTicketsRequest>;

export const swarmTicketsAnswer = z
  .strictObject({
    tickets: z.array(signedTicket).max(SWARM_LIMITS.manifestsPerTicketCall),
    refused: z
      .array(z.strictObject({ manifestId: sha256Hex, reason: z.string() }))
      .max(SWARM_LIMITS.manifestsPerTicketCall),
  })
  .meta({ id: 'SwarmTicketsAnswer' });
export type SwarmTicketsAnswer = z.infer<typeof swarmTicketsAnswer>;

/** Where a file can be had: what work answers carry for an input. URLs may be relative to the coordinator. */
export const blobLocation = z
  .strictObject({
    blobId,
    manifestId: sha256Hex,
    sizeBytes: z.number().int().min(0).max(LIMITS.blobBytes),
    manifestUrl: z.string(),
    contentUrl: z.string(),
  })
  .meta({ id: 'BlobLocation' });

/** A willing host offers room for chunks of open jobs that too few volunteers hold. */
export const swarmReplicasRequest = z
  .strictObject({
    peerId,
    freeBytes: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).describe('Room that it offers.'),
    holds: z
      .array(sha256Hex)
      .max(SWARM_LIMITS.heldReplicas)
      .describe('Manifests of files that it has, wholly or in part.'),
  })
  .meta({ id: 'SwarmReplicasRequest' });
export type SwarmReplicasRequest = z.infer<typeof swarmReplicasRequest>;

export const swarmReplicaOffer = z.strictObject({
  location: blobLocation,
  ticket: signedTicket,
  /** The chunks that the host is asked to fetch and keep. */
  chunks: chunkBitmap,
});
export type SwarmReplicaOffer = z.infer<typeof swarmReplicaOffer>;

export const swarmReplicasAnswer = z
  .strictObject({
    offers: z.array(swarmReplicaOffer).max(SWARM_LIMITS.replicaOffers),
    retryAfterMs: z.number().int().min(0).max(86_400_000).describe('Ask again no sooner than this.'),
  })
  .meta({ id: 'SwarmReplicasAnswer' });
export type SwarmReplicasAnswer = z.infer<typeof swarmReplicasAnswer>;
