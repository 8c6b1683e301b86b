import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SwapConfig } from '@gleaner/swarm/engine';
import {
  SwarmProcess,
  type SwarmProcessEvents,
  type SwarmProcessInit,
  type SwarmProgress,
} from '@gleaner/swarm/process';
import { ChunkStore } from '@gleaner/swarm/store';
import { coordinatorOf, type BenchFile, type Volunteer } from './bench-coordinator.js';

/** Twice the largest blob that the benchmark makes. */
const QUOTA_BYTES = 4 * 1024 ** 3;
const LINK_POLL_MS = 20;
/** Dozens of processes on few cores answer late; that is no reason to kill them. */
const ANSWER_TIMEOUT_MS = 120_000;

export interface PeerReport {
  readonly seconds: number | null;
  readonly bytesFromPeers: number;
  readonly bytesFromOrigin: number;
  readonly bytesToPeers: number;
  readonly wastedBytes: number;
  readonly bans: number;
  readonly cpuSeconds: number;
}

/** One volunteer of the benchmark: the agent's own swarm process, with its own folder and key. */
export class BenchPeer {
  readonly chunks = new Set<number>();
  seconds: number | null = null;
  isKilled = false;
  #swarm: SwarmProcess | undefined;
  #pid = 0;
  #last: (SwarmProgress & { cpuSeconds: number }) | undefined;

  private constructor(
    private readonly volunteer: Volunteer,
    private readonly directory: string,
    private readonly store: ChunkStore,
  ) {}

  static async start(
    volunteer: Volunteer,
    options: {
      readonly config?: Partial<SwapConfig>;
      readonly isSeed?: boolean;
      readonly verbose?: boolean;
      /** Where the process leaves a CPU profile. */
      readonly profileDirectory?: string | undefined;
    } = {},
  ): Promise<BenchPeer> {
    const directory = await mkdtemp(join(tmpdir(), 'gleaner-bench-swarm-'));
    const store = await ChunkStore.open({ directory, quotaBytes: QUOTA_BYTES });
    const peer = new BenchPeer(volunteer, directory, store);
    if (options.isSeed) await fill(store, volunteer.file);
    const events: SwarmProcessEvents = {
      coordinator: coordinatorOf(volunteer),
      onStored: (manifestId, chunk) => {
        store.markStored(manifestId, chunk);
        peer.chunks.add(chunk);
      },
      onDamaged: (manifestId, chunk) => store.file(manifestId)?.forget(chunk),
      onLog: (event, fields) => {
        if (options.verbose)
          console.error(volunteer.identity.peerId.slice(-5), event, JSON.stringify(fields));
      },
    };
    const init = processInit(volunteer, options.config);
    const { profileDirectory } = options;
    const launcher =
      profileDirectory === undefined
        ? []
        : ['/usr/bin/env', `NODE_OPTIONS=--cpu-prof --cpu-prof-dir=${profileDirectory}`];
    const started = await SwarmProcess.start(init, events, launcher, ANSWER_TIMEOUT_MS);
    peer.#swarm = started.process;
    peer.#pid = started.pid;
    return peer;
  }

  /** @param isCached whether the system has memory for its cache of the file before a chunk comes; see {@link fillCache} */
  async join({ isCached = false }: { readonly isCached?: boolean } = {}): Promise<void> {
    const { file: shared, ticket } = this.volunteer;
    const { location, manifest } = shared;
    const file = await this.store.openFile(location.manifestId, manifest);
    if (isCached) await fillCache(file.dataPath, manifest.size);
    await this.#process.join({
      location,
      manifest,
      ticket,
      dataPath: file.dataPath,
      have: file.have.bytes,
      verified: file.verified.bytes,
    });
  }

  /** Resolves when a peer that shares the blob is connected. */
  async untilLinked(signal: AbortSignal): Promise<void> {
    while ((await this.#process.progress()).peers.length === 0) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, LINK_POLL_MS));
    }
  }

  /** Fetches the whole blob. Resolves with what was reached when the signal aborts or the peer is killed. */
  async fetchAll(signal: AbortSignal): Promise<void> {
    const { location, manifest } = this.volunteer.file;
    try {
      const claim = await this.store.claim(location.manifestId, manifest, manifest.hashes.keys());
      const startedAt = performance.now();
      await this.#process.fetch(location.manifestId, claim.missing, signal);
      this.seconds = (performance.now() - startedAt) / 1000;
    } catch (error) {
      if (!this.isKilled && !signal.aborted) throw error;
    }
  }

  kill(): void {
    this.isKilled = true;
    process.kill(this.#pid, 'SIGKILL');
  }

  async report(): Promise<PeerReport> {
    if (!this.isKilled) this.#last = await this.#process.progress();
    return {
      seconds: this.seconds === null ? null : round(this.seconds),
      bytesFromPeers: this.#last?.bytesFromPeers ?? 0,
      bytesFromOrigin: this.#last?.bytesFromOrigin ?? 0,
      bytesToPeers: this.#last?.bytesToPeers ?? 0,
      wastedBytes: this.#last?.wastedBytes ?? 0,
      bans: this.#last?.bannedPeers.length ?? 0,
      cpuSeconds: round(this.#last?.cpuSeconds ?? 0),
    };
  }

  async close(): Promise<void> {
    await this.#swarm?.close();
    await this.store.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  get #process(): SwarmProcess {
    if (!this.#swarm) throw new Error('the peer was not started');
    return this.#swarm;
  }
}

export function processInit(
  { identity, certificate, coordinatorKey }: Volunteer,
  config: Partial<SwapConfig> | undefined,
): SwarmProcessInit {
  return {
    seed: identity.seed,
    certificate,
    coordinatorKey,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    ...(config && { config }),
  };
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

async function fill(store: ChunkStore, { location, manifest, content }: BenchFile): Promise<void> {
  using _ = await store.claim(location.manifestId, manifest, manifest.hashes.keys());
  for (const index of manifest.hashes.keys()) {
    const at = index * manifest.chunk;
    await store.write(location.manifestId, index, content.subarray(at, at + manifest.chunk));
  }
}

/**
 * Makes a file without chunks one of zeros, which the system then has in its cache. A virtual machine may get memory from its host only
 * as it is touched, which can cost many times as much as writing: that is told apart from what an exchange costs.
 */
async function fillCache(path: string, sizeBytes: number): Promise<void> {
  await writeFile(path, Buffer.alloc(sizeBytes));
}
