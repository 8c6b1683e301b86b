import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  manifestBytes,
  type Manifest,
  type OwnCertificate,
  type SignedPeerRecord,
  type SwarmAnnounce,
  type SwarmAnnounceAnswer,
} from '@gleaner/protocol';
import type { BlobLocation } from '@gleaner/swarm';
import { blindPseudonym, createPeerIdentity, signBody, type PeerIdentity } from '@gleaner/swarm/auth';
import { SwarmProcess, type SwarmCoordinator, type SwarmProgress } from '@gleaner/swarm/process';
import { ChunkStore } from '@gleaner/swarm/store';
import type { IsolatedNetwork } from './namespaces.js';

const CHUNK_BYTES = 256 * 1024;
const DAY_SECONDS = 24 * 3600;

/** A blob that hosts share. */
export interface SharedBlob {
  readonly location: BlobLocation;
  readonly manifest: Manifest;
  readonly content: Buffer;
}

export function aBlob(chunks: number): SharedBlob {
  const content = randomBytes(chunks * CHUNK_BYTES);
  const hashes = Array.from({ length: chunks }, (_, index) => sha256(chunkOf(content, index)));
  const manifest: Manifest = { v: 1, alg: 'sha256', size: content.length, chunk: CHUNK_BYTES, hashes };
  const location = {
    blobId: `sha256:${sha256(content)}`,
    manifestId: sha256(manifestBytes(manifest)),
    sizeBytes: content.length,
    manifestUrl: '/manifest',
    contentUrl: '/content',
  };
  return { location, manifest, content };
}

/** A coordinator whose tracker names everybody and whose origin has nothing: what a host gets, a peer gave it. */
export class Authority implements SwarmCoordinator {
  /** It answers nothing: hosts have to find each other. */
  isAway = false;
  readonly #keys = generateKeyPairSync('ed25519');
  readonly #records = new Map<string, SignedPeerRecord>();

  /** SPKI in DER. */
  get key(): Uint8Array {
    return this.#keys.publicKey.export({ format: 'der', type: 'spki' });
  }

  certify(peerId: string): OwnCertificate {
    const [serial, pseudonym] = [randomBytes(8).toString('hex'), randomBytes(16).toString('hex')];
    const host = blindPseudonym(pseudonym, serial);
    const body = { kind: 'gleaner-certificate', v: 1, peerId, host, role: 'host' } as const;
    return { ...signBody({ ...body, serial, exp: tomorrow() }, this.#keys.privateKey), pseudonym };
  }

  ticket(peerId: string, manifestId: string) {
    const body = { kind: 'gleaner-swarm-ticket', v: 1, manifestId, peerId, exp: tomorrow() } as const;
    return signBody(body, this.#keys.privateKey);
  }

  announce({ record }: SwarmAnnounce): Promise<SwarmAnnounceAnswer> {
    if (this.isAway) return Promise.reject(new Error('the coordinator is away'));
    this.#records.set(record.record.body.peerId, record);
    return Promise.resolve({ peers: [...this.#records.values()], intervalMs: 200, revoked: [] });
  }

  requestOriginTickets() {
    return Promise.resolve({ chunks: [], otherwise: 'busy' as const, retryAfterMs: 1000 });
  }

  fetchChunk(): Promise<Uint8Array> {
    return Promise.reject(new Error('the origin has nothing'));
  }
}

export interface SwarmHostInit {
  readonly network: IsolatedNetwork;
  /** The coordinator whose key it trusts and whose tracker it asks. */
  readonly coordinator: Authority;
  /** Who has signed its certificate and its ticket; the coordinator when left out. */
  readonly enrolledBy?: Authority;
  readonly directory: string;
  readonly blob: SharedBlob;
  readonly isSeed?: boolean;
  /** Under which name hosts find each other on the local network; not at all when left out. */
  readonly mdnsServiceTag?: string;
}

/** An agent's swarm process in a network of its own, its store, and what it said. */
export class SwarmHost implements AsyncDisposable {
  readonly log: string[] = [];
  #swarm: SwarmProcess | undefined;
  #addresses: readonly string[] = [];

  private constructor(
    private readonly init: SwarmHostInit,
    readonly identity: PeerIdentity,
    private readonly store: ChunkStore,
  ) {}

  static async start(init: SwarmHostInit): Promise<SwarmHost> {
    const { network, coordinator, enrolledBy = coordinator, blob } = init;
    const { manifestId } = blob.location;
    const identity = createPeerIdentity();
    const directory = join(init.directory, identity.peerId);
    const store = await ChunkStore.open({ directory, quotaBytes: 2 * blob.content.length });
    const host = new SwarmHost(init, identity, store);
    const started = await SwarmProcess.start(
      {
        seed: identity.seed,
        certificate: enrolledBy.certify(identity.peerId),
        coordinatorKey: coordinator.key,
        listen: [`/ip4/${network.address}/tcp/0`],
        ...(init.mdnsServiceTag !== undefined && { mdnsServiceTag: init.mdnsServiceTag }),
      },
      {
        coordinator,
        onStored: (id, chunk) => store.markStored(id, chunk),
        onDamaged: (id, chunk) => store.file(id)?.forget(chunk),
        onLog: (event, fields) => host.log.push(`${event} ${JSON.stringify(fields)}`),
      },
      network.launcher,
    );
    host.#swarm = started.process;
    host.#addresses = started.addresses;
    if (init.isSeed) await host.#fill();
    const file = await store.openFile(manifestId, blob.manifest);
    await host.#process.join({
      location: blob.location,
      manifest: blob.manifest,
      ticket: enrolledBy.ticket(identity.peerId, manifestId),
      dataPath: file.dataPath,
      have: file.have.bytes,
    });
    return host;
  }

  /** Where others reach it. */
  get address(): string {
    const [address] = this.#addresses;
    if (address === undefined) throw new Error('the host listens nowhere');
    return address;
  }

  /** Fetches the whole blob from whoever has it, and returns what is stored then. */
  async fetchAll(signal: AbortSignal): Promise<Buffer> {
    const { location, manifest } = this.init.blob;
    using claim = await this.store.claim(location.manifestId, manifest, manifest.hashes.keys());
    await this.#process.fetch(location.manifestId, claim.missing, signal);
    const file = await this.store.openFile(location.manifestId, manifest);
    return Buffer.concat(await Promise.all([...manifest.hashes.keys()].map((index) => file.read(index))));
  }

  progress(): Promise<SwarmProgress> {
    return this.#process.progress();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#swarm?.close();
    await this.store.close();
  }

  async #fill(): Promise<void> {
    const { location, manifest, content } = this.init.blob;
    using _ = await this.store.claim(location.manifestId, manifest, manifest.hashes.keys());
    for (const index of manifest.hashes.keys()) {
      await this.store.write(location.manifestId, index, chunkOf(content, index));
    }
  }

  get #process(): SwarmProcess {
    if (!this.#swarm) throw new Error('the host was not started');
    return this.#swarm;
  }
}

function chunkOf(content: Buffer, index: number): Buffer {
  return content.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function tomorrow(): number {
  return Math.floor(Date.now() / 1000) + DAY_SECONDS;
}
