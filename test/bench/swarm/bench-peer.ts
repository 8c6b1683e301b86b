import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPeerIdentity, type PeerIdentity } from '@gleaner/swarm/auth';
import type { SwapConfig } from '@gleaner/swarm/engine';
import { SwarmProcess, type SwarmProcessInit, type SwarmProgress } from '@gleaner/swarm/process';
import { ChunkStore } from '@gleaner/swarm/store';
import type { CoordinatorStandIn } from './coordinator-stand-in.js';

/** Twice the largest blob that the benchmark makes. */
const QUOTA_BYTES = 4 * 1024 ** 3;

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
  #last: (SwarmProgress & { cpuSeconds: number }) | undefined;

  private constructor(
    readonly standIn: CoordinatorStandIn,
    readonly identity: PeerIdentity,
    private readonly directory: string,
    private readonly swarm: SwarmProcess,
    readonly pid: number,
  ) {}

  static async start(
    standIn: CoordinatorStandIn,
    options: {
      readonly config?: Partial<SwapConfig>;
      readonly isSeed?: boolean;
      readonly verbose?: boolean;
    } = {},
  ): Promise<BenchPeer> {
    const identity = createPeerIdentity();
    const directory = await mkdtemp(join(tmpdir(), 'gleaner-bench-swarm-'));
    if (options.isSeed) await fill(directory, standIn);
    const init = processInit(standIn, identity, directory, options.config);
    const started = await SwarmProcess.start(init, (event, fields) => {
      if (options.verbose) console.error(identity.peerId.slice(-5), event, JSON.stringify(fields));
    });
    return new BenchPeer(standIn, identity, directory, started.process, started.pid);
  }

  async join(): Promise<void> {
    const { location, manifest } = this.standIn;
    await this.swarm.join({ location, manifest, ticket: this.standIn.ticketFor(this.identity.peerId) });
  }

  /** Fetches the whole blob. Resolves with what was reached when the signal aborts or the peer is killed. */
  async fetchAll(signal: AbortSignal): Promise<void> {
    const { location, manifest } = this.standIn;
    const startedAt = performance.now();
    try {
      const indices = manifest.hashes.map((_, index) => index);
      for await (const { index } of this.swarm.fetchChunks({ location, manifest, indices }, signal)) {
        this.chunks.add(index);
      }
      this.seconds = (performance.now() - startedAt) / 1000;
    } catch (error) {
      if (!this.isKilled && !signal.aborted) throw error;
    }
  }

  kill(): void {
    this.isKilled = true;
    process.kill(this.pid, 'SIGKILL');
  }

  async report(): Promise<PeerReport> {
    if (!this.isKilled) this.#last = await this.swarm.progress();
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
    await this.swarm.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export function processInit(
  standIn: CoordinatorStandIn,
  identity: PeerIdentity,
  directory: string,
  config: Partial<SwapConfig> | undefined,
): SwarmProcessInit {
  return {
    seed: identity.seed,
    certificate: standIn.certify(identity.peerId),
    coordinatorKey: standIn.coordinatorKey.export({ format: 'der', type: 'spki' }),
    directory,
    quotaBytes: QUOTA_BYTES,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    coordinator: { url: standIn.url, headers: {} },
    ...(config && { config }),
  };
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

async function fill(directory: string, standIn: CoordinatorStandIn): Promise<void> {
  const store = await ChunkStore.open({ directory, quotaBytes: QUOTA_BYTES });
  await store.openFile(standIn.location.manifestId, standIn.manifest);
  for (const index of standIn.manifest.hashes.keys()) {
    await store.write(standIn.location.manifestId, index, standIn.chunk(index));
  }
  await store.close();
}
