import type { Frame } from '../frames/frame.js';
import { Bitmap } from './bitmap.js';
import type { SwapConfig } from './swap-config.js';
import { SwapEngine } from './swap-engine.js';
import type { DisconnectReason, SwapAction, SwapEvent } from './swap-events.js';

const TICK_MS = 100;
const CHECK_MS = 1;
const LATENCY_MS = 10;
export const FILE = 'f'.repeat(64);

export interface SimulatedHostInit {
  readonly name: string;
  /** Bytes per second that the host's line sends. */
  readonly uplink?: number;
  readonly downlink?: number;
  readonly have?: Iterable<number>;
  readonly want?: Iterable<number>;
  readonly config?: Partial<SwapConfig>;
  /** What this host really sends for a block. */
  readonly corrupt?: (chunk: number) => boolean;
  /** Changes, or (undefined) swallows, what the host sends. */
  readonly tamper?: (frame: Frame) => Frame | undefined;
}

export interface SimulationInit {
  readonly seed: number;
  readonly chunks: number;
  readonly chunkBytes: number;
  /** Bytes per second of the origin; 0 for none. */
  readonly originRate: number;
}

class SimulatedHost {
  readonly engine: SwapEngine;
  readonly stored: Bitmap;
  readonly wanted: Set<number>;
  readonly peers = new Set<SimulatedHost>();
  readonly banned = new Set<string>();
  readonly disconnects: Array<{ peer: string; reason: DisconnectReason }> = [];
  badChunks = 0;
  isAlive = true;
  uplinkFreeAtMs = 0;
  downlinkFreeAtMs = 0;
  completedAtMs: number | undefined;

  constructor(
    readonly init: SimulatedHostInit,
    simulation: SimulationInit,
    random: () => number,
    nowMs: number,
  ) {
    this.stored = Bitmap.of(simulation.chunks, init.have ?? []);
    this.wanted = new Set(init.want ?? Array.from({ length: simulation.chunks }, (_, index) => index));
    this.engine = new SwapEngine({
      random,
      nowMs,
      // The ticket says whose it is: enough to see that the engine asks.
      authorize: (peer, manifestId, ticket, now) =>
        manifestId === FILE && Buffer.from(ticket).toString() === `ticket of ${peer}`
          ? now + 3_600_000
          : undefined,
      ...(init.config && { config: init.config }),
    });
  }

  get isComplete(): boolean {
    for (const chunk of this.wanted) if (!this.stored.has(chunk)) return false;
    return true;
  }
}

/** Hosts, their lines and an origin on one fake clock; the same seed gives the same run. */
export class SimulatedSwarm {
  nowMs = 0;
  originBytes = 0;
  isOriginUp = true;
  /** The origin grants chunks and then never delivers them. */
  isOriginStuck = false;
  readonly hosts = new Map<string, SimulatedHost>();
  readonly #random: () => number;
  readonly #grants = new Map<number, { atMs: number; to: string }>();
  readonly #reporters = new Map<string, Set<string>>();
  readonly #fetched = new Set<number>();
  #originFreeAtMs = 0;
  #queue: Array<{ atMs: number; run: () => void }> = [];

  constructor(readonly init: SimulationInit) {
    this.#random = seeded(init.seed);
  }

  add(init: SimulatedHostInit): SimulatedHost {
    const host = new SimulatedHost(init, this.init, this.#random, this.nowMs);
    this.hosts.set(init.name, host);
    this.#tell(host, {
      kind: 'file-added',
      file: {
        manifestId: FILE,
        sizeBytes: this.init.chunks * this.init.chunkBytes,
        chunkBytes: this.init.chunkBytes,
        chunkCount: this.init.chunks,
        have: host.stored,
        ticket: Buffer.from(`ticket of ${init.name}`),
      },
    });
    this.#tell(host, { kind: 'wanted', manifestId: FILE, chunks: host.wanted });
    const tick = (): void => {
      if (!host.isAlive) return;
      this.#tell(host, { kind: 'tick' });
      this.#after(TICK_MS, tick);
    };
    this.#after(Math.floor(this.#random() * TICK_MS), tick);
    return host;
  }

  connectAll(): void {
    const hosts = [...this.hosts.values()];
    hosts.forEach((a, index) => hosts.slice(index + 1).forEach((b) => this.connect(a, b)));
  }

  connect(a: SimulatedHost, b: SimulatedHost): void {
    if (a.peers.has(b) || a.banned.has(b.init.name) || b.banned.has(a.init.name)) return;
    a.peers.add(b);
    b.peers.add(a);
    this.#tell(a, { kind: 'peer-connected', peer: b.init.name, record: Buffer.from(b.init.name) });
    this.#tell(b, { kind: 'peer-connected', peer: a.init.name, record: Buffer.from(a.init.name) });
  }

  kill(host: SimulatedHost): void {
    host.isAlive = false;
    for (const peer of host.peers) this.#part(host, peer);
  }

  /** Runs until the claim holds. @throws when it does not within `limitMs` */
  runUntil(claim: () => boolean, limitMs: number): void {
    while (!claim()) {
      const next = this.#queue.shift();
      if (!next || next.atMs > limitMs) {
        const left = [...this.hosts.values()]
          .filter((host) => host.isAlive && !host.isComplete)
          .map((host) => `${host.init.name} has ${host.stored.size}`);
        throw new Error(
          `not reached by ${limitMs} ms of simulated time; incomplete: ${left.join(', ') || 'none'}`,
        );
      }
      this.nowMs = next.atMs;
      next.run();
    }
  }

  get living(): SimulatedHost[] {
    return [...this.hosts.values()].filter((host) => host.isAlive);
  }

  #tell(host: SimulatedHost, event: SwapEvent): void {
    if (!host.isAlive) return;
    for (const action of host.engine.handle(event, this.nowMs)) this.#act(host, action);
  }

  #act(host: SimulatedHost, action: SwapAction): void {
    switch (action.kind) {
      case 'send':
        this.#transmit(host, action.peer, action.frame);
        return;
      case 'upload': {
        const bytes = new Uint8Array(action.length).fill(contentOf(action.chunk));
        if (host.init.corrupt?.(action.chunk)) bytes[0] = 255;
        const { channel, chunk, offset } = action;
        this.#transmit(host, action.peer, { type: 'block', channel, chunk, offset, bytes });
        return;
      }
      case 'check':
        this.#after(CHECK_MS, () => {
          const isGood = Buffer.alloc(action.bytes.length, contentOf(action.chunk)).equals(action.bytes);
          if (isGood) this.#store(host, action.chunk);
          else host.badChunks += 1;
          const { manifestId, chunk, peer } = action;
          this.#tell(host, { kind: 'checked', manifestId, chunk, peer, verdict: isGood ? 'good' : 'bad' });
        });
        return;
      case 'origin-ask':
        this.#after(LATENCY_MS * 2, () => this.#grant(host, action));
        return;
      case 'origin-fetch':
        this.#fetchFromOrigin(host, action.chunk);
        return;
      case 'disconnect': {
        host.disconnects.push({ peer: action.peer, reason: action.reason });
        if (action.ban) this.#ban(host, action.peer);
        const peer = this.hosts.get(action.peer);
        if (peer) this.#part(host, peer);
        return;
      }
      case 'peers-learned':
        for (const record of action.records) {
          const learned = this.hosts.get(Buffer.from(record).toString());
          if (learned && learned !== host) this.#after(LATENCY_MS, () => this.connect(host, learned));
        }
    }
  }

  #transmit(from: SimulatedHost, to: string, original: Frame): void {
    const peer = this.hosts.get(to);
    const frame = from.init.tamper ? from.init.tamper(original) : original;
    const size = original.type === 'block' ? original.bytes.length : 0;
    from.uplinkFreeAtMs =
      Math.max(from.uplinkFreeAtMs, this.nowMs) + (size / (from.init.uplink ?? Infinity)) * 1000;
    const sentAtMs = from.uplinkFreeAtMs;
    if (size > 0) this.#at(sentAtMs, () => this.#tell(from, { kind: 'flushed', peer: to, bytes: size }));
    if (!frame || !peer) return;
    this.#at(sentAtMs + LATENCY_MS, () => {
      peer.downlinkFreeAtMs =
        Math.max(peer.downlinkFreeAtMs, this.nowMs) + (size / (peer.init.downlink ?? Infinity)) * 1000;
      this.#at(peer.downlinkFreeAtMs, () => {
        if (peer.peers.has(from)) this.#tell(peer, { kind: 'frame', peer: from.init.name, frame });
      });
    });
  }

  #ban(host: SimulatedHost, culprit: string): void {
    host.banned.add(culprit);
    this.#reporters.set(culprit, (this.#reporters.get(culprit) ?? new Set()).add(host.init.name));
  }

  /** Two hosts agree that it serves bad chunks. */
  #isExposed(name: string): boolean {
    return (this.#reporters.get(name)?.size ?? 0) >= 2;
  }

  #part(a: SimulatedHost, b: SimulatedHost): void {
    if (!a.peers.delete(b)) return;
    b.peers.delete(a);
    this.#after(0, () => {
      this.#tell(a, { kind: 'peer-disconnected', peer: b.init.name });
      this.#tell(b, { kind: 'peer-disconnected', peer: a.init.name });
    });
  }

  /** Different chunks for different hosts, as many as the origin's line carries in a second; again when they got lost. */
  #grant(host: SimulatedHost, ask: Extract<SwapAction, { kind: 'origin-ask' }>): void {
    const answer = (chunks: number[], otherwise: 'busy' | 'elsewhere' | 'away'): void =>
      this.#tell(host, { kind: 'origin-granted', manifestId: FILE, chunks, otherwise, retryAfterMs: 200 });
    if (!this.isOriginUp || this.init.originRate === 0) return answer([], 'away');
    if (this.#isExposed(host.init.name)) return answer([], 'elsewhere');
    if (this.#originFreeAtMs - this.nowMs > 500) return answer([], 'busy');
    const wanted = [...ask.wanted];
    const fresh = wanted.filter((chunk) => !this.#grants.has(chunk));
    const lost = wanted.filter((chunk) => {
      const grant = this.#grants.get(chunk);
      if (!grant) return false;
      if (this.#isExposed(grant.to)) return true;
      return (ask.urgent || !this.#fetched.has(chunk)) && this.nowMs - grant.atMs > 3000;
    });
    const chunks = [...fresh, ...lost].slice(0, ask.count);
    for (const chunk of chunks) this.#grants.set(chunk, { atMs: this.nowMs, to: host.init.name });
    return answer(chunks, 'elsewhere');
  }

  #fetchFromOrigin(host: SimulatedHost, chunk: number): void {
    if (this.isOriginStuck) return;
    const { chunkBytes, originRate } = this.init;
    this.#originFreeAtMs = Math.max(this.#originFreeAtMs, this.nowMs) + (chunkBytes / originRate) * 1000;
    host.downlinkFreeAtMs =
      Math.max(host.downlinkFreeAtMs, this.#originFreeAtMs) +
      (chunkBytes / (host.init.downlink ?? Infinity)) * 1000;
    this.#at(host.downlinkFreeAtMs, () => {
      const isStored = this.isOriginUp && host.isAlive;
      if (isStored) {
        this.originBytes += chunkBytes;
        this.#fetched.add(chunk);
        this.#store(host, chunk);
      }
      this.#tell(host, { kind: 'origin-fetched', manifestId: FILE, chunk, isStored });
    });
  }

  #store(host: SimulatedHost, chunk: number): void {
    host.stored.add(chunk);
    if (host.isComplete) host.completedAtMs ??= this.nowMs;
  }

  #after(delayMs: number, run: () => void): void {
    this.#at(this.nowMs + delayMs, run);
  }

  #at(atMs: number, run: () => void): void {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      // Events of one instant keep their order: links deliver in order.
      if ((this.#queue[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, { atMs, run });
  }
}

function contentOf(chunk: number): number {
  return chunk % 251;
}

/** mulberry32: small, seeded, good enough to break ties. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
