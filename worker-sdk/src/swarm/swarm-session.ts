import { Buffer } from 'node:buffer';
import type { Manifest } from '@gleaner/protocol';
import { sha256Hex, type ChunkRequest } from '@gleaner/swarm';
import {
  SwarmProcess,
  type SwarmCoordinator,
  type SwarmMemory,
  type SwarmProcessInit,
  type SwarmProgress,
} from '@gleaner/swarm/process';
import type { ChunkStore } from '@gleaner/swarm/store';
import { AddressWatch } from './address-watch.js';
import { allowedAddresses, type AllowedAddresses } from './allowed-addresses.js';
import { freePortFrom } from './listening-port.js';
import type { Membership } from './membership.js';
import type { FileTicket } from './shared-files.js';
import type { SwarmPreferences } from './swarm-preferences.js';
import type { PeerFetch } from './swarm-supply.js';

/** A process that was killed a moment ago may still have the volunteer's port: so many starts leave it the time to end. */
const PATIENT_STARTS = 2;

export type SwarmLog = (event: string, fields?: Readonly<Record<string, string | number>>) => void;

export interface SwarmSessionInit {
  readonly membership: Membership;
  readonly store: ChunkStore;
  readonly coordinator: SwarmCoordinator;
  readonly coordinatorUrl: URL;
  readonly preferences: SwarmPreferences;
  /** Starts before this one that came to nothing, one after the other. */
  readonly failures: number;
  readonly memory: SwarmMemory | undefined;
  /** Bytes that the process may exchange with other volunteers; infinite for no bound. */
  readonly mostExchangedBytes: number;
  /** What it has done when that is used up. */
  readonly onBudgetUsed: (progress: SwarmProgress) => void;
  readonly log: SwarmLog;
}

/** The swarm's process from its start to its end, and the files that it shares. */
export class SwarmSession {
  readonly #joined = new Map<string, { readonly file: FileTicket; readonly manifest: Manifest }>();
  /** Files that were left for the moment that it takes to evict chunks of theirs. */
  readonly #paused = new Map<string, PromiseWithResolvers<void>>();

  private constructor(
    private readonly init: SwarmSessionInit,
    private readonly process: SwarmProcess,
    /** Resolves with the reason, however the process ended. */
    readonly ended: Promise<Error>,
    /** Looks at the addresses since before the process was told them. */
    private readonly addresses: AddressWatch,
  ) {}

  /** @throws {Error} when there is no valid certificate, the volunteer's port is taken as yet, or the process could not start */
  static async start(asked: SwarmSessionInit): Promise<SwarmSession> {
    const init = { ...asked, preferences: { ...asked.preferences, port: await portOf(asked) } };
    const { store, coordinator, log } = init;
    const { promise: ended, resolve } = Promise.withResolvers<Error>();
    const addresses = new AddressWatch(() => addressesOf(init));
    const started = await SwarmProcess.start(processInit(init), {
      coordinator,
      onStored: (manifestId, chunk) => store.markStored(manifestId, chunk),
      onDamaged: (manifestId, chunk) => store.file(manifestId)?.forget(chunk),
      onBudgetUsed: init.onBudgetUsed,
      onEnded: resolve,
      onLog: log,
    });
    log('swarm-started', { pid: started.pid, addresses: started.addresses.length });
    return new SwarmSession(init, started.process, ended, addresses);
  }

  /** Shares a file, or renews its ticket. */
  async join(ticketed: FileTicket, manifest: Manifest): Promise<void> {
    const { location, ticket } = ticketed;
    const { manifestId } = location;
    let joining: Promise<void> | undefined;
    await this.init.store.openFile(manifestId, manifest, ({ dataPath, have, verified }) => {
      this.#joined.set(manifestId, { file: ticketed, manifest });
      // Told before the next eviction, which tells it to leave: of what is evicted it must not go on believing that it is there.
      const [known, checked] = [have.bytes, verified.bytes];
      joining = this.process.join({ location, manifest, ticket, dataPath, have: known, verified: checked });
    });
    await joining;
  }

  /** Resolves once the process has let go of the file. */
  async leave(manifestId: string): Promise<void> {
    if (!this.#joined.delete(manifestId)) return;
    await this.process.leave(manifestId);
  }

  /** Leaves a file whose chunks are about to be evicted; who fetches of it waits for {@link resume}. */
  async pause(manifestId: string): Promise<void> {
    if (!this.#joined.has(manifestId)) return;
    this.#paused.set(manifestId, Promise.withResolvers());
    await this.process.leave(manifestId);
  }

  /** Shares what is left of a paused file again, if anything is. */
  async resume(manifestId: string, isKept: boolean): Promise<void> {
    const paused = this.#paused.get(manifestId);
    const joined = this.#joined.get(manifestId);
    try {
      if (!isKept) this.#joined.delete(manifestId);
      else if (paused && joined) await this.join(joined.file, joined.manifest);
    } finally {
      // The next eviction may have begun.
      if (this.#paused.get(manifestId) === paused) this.#paused.delete(manifestId);
      paused?.resolve();
    }
  }

  isJoined(manifestId: string): boolean {
    return this.#joined.has(manifestId);
  }

  /** A joined file, to be fetched from. */
  peerFetch({ location: { manifestId } }: ChunkRequest): PeerFetch {
    const missing = (indices: readonly number[]): number[] => {
      const have = this.init.store.file(manifestId)?.have;
      return indices.filter((index) => !have?.has(index));
    };
    return {
      missing,
      fetch: async (indices, signal) => {
        try {
          await this.process.fetch(manifestId, indices, signal);
        } catch (error) {
          const paused = this.#paused.get(manifestId);
          if (!paused || signal.aborted) throw error;
          await paused.promise;
          await this.process.fetch(manifestId, missing(indices), signal);
        }
      },
    };
  }

  /** This side has brought a chunk over HTTPS. */
  noteStored(manifestId: string, chunk: number): void {
    if (!this.#joined.has(manifestId)) return;
    // A process that has ended reads the store's bitmap when it starts again.
    this.process.noteStored(manifestId, [chunk]).catch(() => undefined);
  }

  /** Bytes per second. */
  async limit(preferences: SwarmPreferences): Promise<void> {
    await this.process.limit(ratesOf(preferences));
  }

  async renewCertificate(): Promise<void> {
    const answer = this.init.membership.current;
    if (answer) await this.process.renewCertificate(answer.certificate);
  }

  /** Whether the machine's network is another one by now: the process listens where nobody finds it. To be asked regularly. */
  hasMoved(): boolean {
    return this.addresses.hasChanged();
  }

  async progress(): Promise<SwarmProgress> {
    return this.process.progress();
  }

  /** Lets the process exchange so many bytes since its start, after which it ends. */
  async setBudget(mostExchangedBytes: number): Promise<void> {
    await this.process.setBudget(mostExchangedBytes);
  }

  async memory(): Promise<SwarmMemory> {
    return this.process.memory();
  }

  async close(): Promise<void> {
    await this.process.close();
    // Who is told of an eviction's end from now on is the next session: whoever waits here is told by the process's end.
    for (const paused of this.#paused.values()) paused.resolve();
    this.#paused.clear();
  }
}

/** The volunteer's port, or the next free one where somebody keeps it, as the process of this machine's next project does. */
async function portOf(init: SwarmSessionInit): Promise<number> {
  const { port: own } = init.preferences;
  const hosts = addressesOf(init).listen.map((address) => address.split('/')[2] ?? '');
  const port = await freePortFrom(own, hosts);
  if (port !== own && init.failures < PATIENT_STARTS)
    throw new Error(`port ${own} is taken on this machine; if it stays so, another one is used`);
  return port;
}

function processInit(init: SwarmSessionInit): SwarmProcessInit {
  const { membership, preferences, memory, mostExchangedBytes } = init;
  const answer = membership.current;
  if (!answer) throw new Error('this host has no certificate for the swarm yet');
  const { listen, dialFrom } = addressesOf(init);
  const isRestricted = preferences.interfaces !== null;
  const seen = isRestricted ? undefined : seenAddress(answer.seenAddress, preferences.port);
  return {
    seed: membership.identity.seed,
    certificate: answer.certificate,
    coordinatorKey: Buffer.from(answer.coordinatorKey, 'base64'),
    listen,
    config: ratesOf(preferences),
    ...(memory && { memory }),
    ...(Number.isFinite(mostExchangedBytes) && { mostExchangedBytes }),
    ...(dialFrom !== undefined && { dialFrom }),
    ...(seen !== undefined && { extraAddresses: [seen] }),
    // Multicast leaves by whichever interface the system chooses: not where the volunteer named some.
    ...(!isRestricted && { mdnsServiceTag: mdnsTag(answer.coordinatorKey) }),
  };
}

function addressesOf({ preferences, coordinatorUrl }: SwarmSessionInit): AllowedAddresses {
  const hasLocalCoordinator = ['localhost', '127.0.0.1', '[::1]'].includes(coordinatorUrl.hostname);
  return allowedAddresses(preferences.interfaces, preferences.port, hasLocalCoordinator);
}

function ratesOf({ uploadBytesPerSecond, downloadBytesPerSecond }: SwarmPreferences) {
  return {
    uploadBytesPerSecond: uploadBytesPerSecond ?? Number.POSITIVE_INFINITY,
    downloadBytesPerSecond: downloadBytesPerSecond ?? Number.POSITIVE_INFINITY,
  };
}

/** Where a router may forward the fixed port to this host. */
function seenAddress(address: string, port: number): string | undefined {
  if (port === 0 || address === '') return undefined;
  return `/${address.includes(':') ? 'ip6' : 'ip4'}/${address}/tcp/${port}`;
}

/** One coordinator's hosts find each other; its name does not tell which. */
function mdnsTag(coordinatorKey: string): string {
  return `_gln-${sha256Hex(Buffer.from(coordinatorKey)).slice(0, 8)}._udp.local`;
}
