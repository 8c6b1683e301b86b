import { backoffDelayMs } from '@gleaner/domain';
import type { HeldFile } from '@gleaner/protocol';
import {
  SourceSupply,
  type ChunkRequest,
  type ChunkSupply,
  type ContentCache,
  type HttpOriginSource,
} from '@gleaner/swarm';
import { HttpSwarmCoordinator } from '@gleaner/swarm/process';
import type { ChunkStore } from '@gleaner/swarm/store';
import type { CoordinatorClient } from '../coordinator-client.js';
import { WakeUp } from '../wake-up.js';
import { heldFiles } from './held-files.js';
import { LateFiles } from './late-files.js';
import { Membership } from './membership.js';
import { MemoryFile } from './memory-file.js';
import { shareFile } from './share-file.js';
import { SharedFiles } from './shared-files.js';
import { isSameButForRates, type SwarmPreferences, type SwarmStatus } from './swarm-preferences.js';
import { SwarmHouse } from './swarm-house.js';
import { SwarmSession, type SwarmLog } from './swarm-session.js';
import { SwarmSupply, type PeerFetch } from './swarm-supply.js';
import { TrafficLedger } from './traffic-ledger.js';

/** After a process that ended, or a certificate that was not given: 1 s to 2 min. */
const RESTART_BACKOFF = { baseMs: 1000, maxMs: 120_000 };
/** A session that lasted so long counts as a success. */
const GOOD_SESSION_MS = 60_000;
const CAP_CHECK_MS = 60_000;
/** To become another peer at the start; later there is more time. */
const CHANGE_TIMEOUT_MS = 5_000;

export interface VolunteerSwarmComponents {
  readonly client: CoordinatorClient;
  readonly store: ChunkStore;
  readonly cache: ContentCache;
  readonly origin: HttpOriginSource;
  /** The origin for the swarm's own tickets: it gives up soon, because peers may have the chunk. */
  readonly ticketedOrigin: HttpOriginSource;
  /** For the peer's key, its certificate, tickets, known peers and tallies. */
  readonly directory: string;
  /** Uniform in [0, 1); for the jitter of retries. */
  readonly random: () => number;
  readonly log: SwarmLog;
}

/**
 * The volunteer's part in the swarm: off until told preferences, then a process of its own that is started again when it ends,
 * with certificate, tickets and known peers kept for when the coordinator is away. Tasks get their chunks either way.
 */
export class VolunteerSwarm {
  /** Brings chunks of tasks: from the swarm while there is one, else from the origin. */
  readonly supply: ChunkSupply;
  readonly #memory: MemoryFile;
  readonly #changed = new WakeUp();
  readonly #late = new LateFiles();
  #preferences: SwarmPreferences | null = null;
  #membership: Membership | undefined;
  #files: SharedFiles | undefined;
  #session: SwarmSession | undefined;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #state: Pick<SwarmStatus, 'state' | 'reason'> = { state: 'off', reason: 'you did not agree to it' };
  #peers = 0;
  /** Resolved when the process has started, or could not be. */
  #starting: PromiseWithResolvers<void> | undefined;
  #changedListener: () => void = () => undefined;

  private constructor(
    private readonly components: VolunteerSwarmComponents,
    private readonly ledger: TrafficLedger,
  ) {
    const { origin, store, directory, log } = components;
    this.#memory = new MemoryFile(directory);
    const direct = new SourceSupply(origin, store, (manifestId, index, bytes) => {
      ledger.add(manifestId, 'fromOriginBytes', bytes);
      this.#session?.noteStored(manifestId, index);
    });
    this.supply = new SwarmSupply({
      origin: direct,
      join: (request, signal) => this.#joinFor(request, signal),
      log,
    });
  }

  static async open(components: VolunteerSwarmComponents): Promise<VolunteerSwarm> {
    return new VolunteerSwarm(components, await TrafficLedger.open(components.directory));
  }

  /** Takes part as the volunteer allows; null: not at all. Returns at once. */
  set(preferences: SwarmPreferences | null): void {
    const before = this.#preferences;
    this.#preferences = preferences;
    if (before && preferences && isSameButForRates(before, preferences)) {
      // A process that has just ended is started with the new rates.
      this.#session?.limit(preferences).catch(() => undefined);
      return;
    }
    this.#stop.abort(new Error('the preferences have changed'));
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#say(preferences ? 'starting' : 'off', preferences ? 'starting' : 'you did not agree to it');
    this.#running = this.#running.then(() => (preferences ? this.#live(signal) : undefined));
  }

  /** Calls the listener whenever the status has changed. */
  onChanged(listener: () => void): void {
    this.#changedListener = listener;
  }

  status(): SwarmStatus {
    return { ...this.#state, peers: this.#peers, ...this.ledger.current };
  }

  /** What a work request says of this host. */
  get capabilities(): { peerId?: string; held?: HeldFile[] } {
    const held = heldFiles(this.components.store);
    const peerId = this.#session && this.#membership?.identity.peerId;
    return { ...(held.length > 0 && { held }), ...(peerId !== undefined && { peerId }) };
  }

  /** Whether others count on this host to keep what it has of the file. */
  isPromised(manifestId: string): boolean {
    const isKept = this.#session !== undefined && (this.#preferences?.keepsReplicas ?? false);
    return isKept && (this.#files?.isPromised(manifestId) ?? false);
  }

  /** Chunks of the file are about to be evicted. */
  async pause(manifestId: string): Promise<void> {
    // A process that has ended shares nothing.
    await this.#session?.pause(manifestId).catch(() => undefined);
  }

  /** Chunks of the file have been evicted; `isKept` when some are left. */
  resume(manifestId: string, isKept: boolean): void {
    this.#session?.resume(manifestId, isKept).catch((error: unknown) => this.#warn(error));
  }

  /** Ends the process; closing twice is safe. */
  async close(): Promise<void> {
    this.#preferences = null;
    this.#stop.abort(new Error('the worker stops'));
    await this.#running;
    await this.ledger.save();
  }

  async #live(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const startedAtMs = performance.now();
      let reason: string;
      try {
        if (this.#isCapUsed()) {
          this.#say('waiting', 'the monthly cap is used: everything comes over HTTPS until next month');
          await this.#changed.wait(CAP_CHECK_MS, signal);
          continue;
        }
        reason = await this.#liveOnce(signal, failures);
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
      if (signal.aborted || this.#isCapUsed()) continue;
      failures = performance.now() - startedAtMs > GOOD_SESSION_MS ? 1 : failures + 1;
      const waitMs = backoffDelayMs(failures, RESTART_BACKOFF, this.components.random());
      this.#say('waiting', `${reason}; trying again in ${Math.ceil(waitMs / 1000)} s, HTTPS meanwhile`);
      await this.#changed.wait(waitMs, signal);
    }
  }

  /** One process, from its start until it ends, the signal aborts or the cap is used. Returns why. */
  async #liveOnce(signal: AbortSignal, failures: number): Promise<string> {
    if (this.#state.state !== 'starting') this.#say('starting', 'starting');
    const { client, store, directory, ticketedOrigin, log } = this.components;
    const membership = (this.#membership ??= await Membership.open(client, directory));
    // The certificate at hand is good enough while the coordinator is away, and so is the peer that this host was.
    const isUsable = (error: unknown): void => {
      if (!membership.current) throw error;
    };
    await membership.renew(signal).catch(isUsable);
    await membership
      .change(AbortSignal.any([signal, AbortSignal.timeout(CHANGE_TIMEOUT_MS)]))
      .catch(isUsable);
    const { peerId } = membership.identity;
    if (this.#files?.peerId !== peerId) this.#files = await SharedFiles.open(client, peerId, directory);
    const files = this.#files;
    if (signal.aborted || !this.#preferences) return 'stopped';
    const session = await SwarmSession.start({
      membership,
      store,
      coordinator: new HttpSwarmCoordinator({
        baseUrl: client.baseUrl,
        credentials: () => client.credentials(),
        origin: ticketedOrigin,
      }),
      coordinatorUrl: client.baseUrl,
      preferences: this.#preferences,
      failures,
      memory: await this.#memory.read(),
      mostExchangedBytes: this.#leftOfMonthBytes(),
      onBudgetUsed: (progress) => this.ledger.follow(progress),
      log,
    });
    this.ledger.forgetProcess();
    this.#session = session;
    const over = new AbortController();
    void session.ended.then((error) => over.abort(error));
    const until = AbortSignal.any([signal, over.signal]);
    try {
      this.#say('on', 'sharing inputs with other volunteers');
      const reason = await this.#houseOf(session, membership, files).keep(until);
      if (reason !== undefined) return reason;
    } finally {
      this.#session = undefined;
      this.#peers = 0;
      await session.close();
      await this.ledger.save();
    }
    return over.signal.aborted ? (await session.ended).message : 'stopped';
  }

  #houseOf(session: SwarmSession, membership: Membership, files: SharedFiles): SwarmHouse {
    let before = JSON.stringify(this.status());
    return new SwarmHouse({
      ...this.components,
      session,
      membership,
      files,
      ledger: this.ledger,
      memory: this.#memory,
      late: this.#late,
      manifests: this.components.origin,
      keepsReplicas: () => this.#preferences?.keepsReplicas ?? false,
      leftOfMonthBytes: () => this.#leftOfMonthBytes(),
      onRound: (peers) => {
        this.#peers = peers;
        const now = JSON.stringify(this.status());
        if (now !== before) this.#changedListener();
        before = now;
      },
      warn: (error) => this.#warn(error),
    });
  }

  /** Undefined means: from the origin, now. Nobody waits for it any longer once the signal aborts. */
  async #joinFor(request: ChunkRequest, signal: AbortSignal): Promise<PeerFetch | undefined> {
    const { location, manifest } = request;
    this.#late.add(location);
    await this.#untilStarted(signal);
    const session = this.#session;
    const files = this.#files;
    if (!session || !files) return undefined;
    try {
      const ticket = await files.ticketFor(location, signal);
      if (ticket) await shareFile({ files, session }, { location, ticket }, manifest);
      this.#late.delete(location.manifestId);
      return ticket && session.peerFetch(request);
    } catch (error) {
      signal.throwIfAborted();
      this.#warn(error);
      return undefined;
    }
  }

  /** A process that starts is worth a moment: its peers may have what the origin would have to send once more. */
  async #untilStarted(signal: AbortSignal): Promise<void> {
    if (!this.#starting || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve());
    await Promise.race([this.#starting.promise, promise]);
  }

  #isCapUsed(): boolean {
    return this.#leftOfMonthBytes() <= 0;
  }

  /** Bytes that may still be exchanged with other volunteers this month; infinite without a cap. */
  #leftOfMonthBytes(): number {
    const cap = this.#preferences?.monthlyCapBytes ?? Number.POSITIVE_INFINITY;
    return cap - this.ledger.current.monthBytes;
  }

  #say(state: SwarmStatus['state'], reason: string): void {
    this.#state = { state, reason };
    if (state === 'starting') {
      this.#starting ??= Promise.withResolvers<void>();
    } else {
      this.#starting?.resolve();
      this.#starting = undefined;
    }
    this.components.log(`swarm-${state}`, { reason });
    this.#changedListener();
  }

  #warn(error: unknown): void {
    this.components.log('swarm-trouble', { reason: error instanceof Error ? error.message : String(error) });
  }
}
