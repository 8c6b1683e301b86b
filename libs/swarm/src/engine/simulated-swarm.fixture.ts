import type { Frame } from '../frames/frame.js';
import { FILE, SimulatedHost, type SimulatedHostInit } from './simulated-host.fixture.js';
import { SimulatedOrigin } from './simulated-origin.fixture.js';
import { seeded, SimulatedTime } from './simulated-time.fixture.js';
import type { SwapAction, SwapEvent } from './swap-events.js';

const TICK_MS = 100;
const CHECK_MS = 1;
const LATENCY_MS = 10;

export interface SimulationInit {
  readonly seed: number;
  readonly chunks: number;
  readonly chunkBytes: number;
  /** Bytes per second of the origin; 0 for none. */
  readonly originRate: number;
}

/** Hosts, their lines and an origin on one fake clock; the same seed gives the same run. */
export class SimulatedSwarm {
  readonly time = new SimulatedTime();
  readonly origin: SimulatedOrigin;
  readonly hosts = new Map<string, SimulatedHost>();
  readonly #random: () => number;

  constructor(readonly init: SimulationInit) {
    this.#random = seeded(init.seed);
    this.origin = new SimulatedOrigin(this.time, init.originRate);
  }

  get nowMs(): number {
    return this.time.nowMs;
  }

  get living(): SimulatedHost[] {
    return [...this.hosts.values()].filter((host) => host.isAlive);
  }

  add(init: SimulatedHostInit): SimulatedHost {
    const host = new SimulatedHost(init, this.init.chunks, this.#random, this.nowMs);
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
      this.time.after(TICK_MS, tick);
    };
    this.time.after(Math.floor(this.#random() * TICK_MS), tick);
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
      if (this.time.advance(limitMs)) continue;
      const left = this.living
        .filter((host) => !host.isComplete)
        .map((host) => `${host.init.name} has ${host.stored.size}`);
      throw new Error(
        `not reached by ${limitMs} ms of simulated time; incomplete: ${left.join(', ') || 'none'}`,
      );
    }
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
        this.time.after(CHECK_MS, () => {
          const isGood = Buffer.alloc(action.bytes.length, contentOf(action.chunk)).equals(action.bytes);
          if (isGood) this.#store(host, action.chunk);
          else host.badChunks += 1;
          const { manifestId, chunk, peer } = action;
          this.#tell(host, { kind: 'checked', manifestId, chunk, peer, verdict: isGood ? 'good' : 'bad' });
        });
        return;
      case 'origin-ask':
        this.time.after(LATENCY_MS * 2, () => {
          const answer = this.origin.grant(host.init.name, action);
          this.#tell(host, { kind: 'origin-granted', manifestId: FILE, ...answer });
        });
        return;
      case 'origin-fetch':
        this.#fetchFromOrigin(host, action.chunk);
        return;
      case 'disconnect': {
        host.disconnects.push({ peer: action.peer, reason: action.reason });
        if (action.ban) {
          host.banned.add(action.peer);
          this.origin.report(action.peer, host.init.name);
        }
        const peer = this.hosts.get(action.peer);
        if (peer) this.#part(host, peer);
        return;
      }
      case 'peers-learned':
        for (const record of action.records) {
          const learned = this.hosts.get(Buffer.from(record).toString());
          if (learned && learned !== host) this.time.after(LATENCY_MS, () => this.connect(host, learned));
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
    if (size > 0) this.time.at(sentAtMs, () => this.#tell(from, { kind: 'flushed', peer: to, bytes: size }));
    if (!frame || !peer) return;
    this.time.at(sentAtMs + LATENCY_MS, () => {
      peer.downlinkFreeAtMs =
        Math.max(peer.downlinkFreeAtMs, this.nowMs) + (size / (peer.init.downlink ?? Infinity)) * 1000;
      this.time.at(peer.downlinkFreeAtMs, () => {
        if (peer.peers.has(from)) this.#tell(peer, { kind: 'frame', peer: from.init.name, frame });
      });
    });
  }

  #part(a: SimulatedHost, b: SimulatedHost): void {
    if (!a.peers.delete(b)) return;
    b.peers.delete(a);
    this.time.after(0, () => {
      this.#tell(a, { kind: 'peer-disconnected', peer: b.init.name });
      this.#tell(b, { kind: 'peer-disconnected', peer: a.init.name });
    });
  }

  #fetchFromOrigin(host: SimulatedHost, chunk: number): void {
    if (this.origin.isStuck) return;
    const { chunkBytes } = this.init;
    host.downlinkFreeAtMs =
      Math.max(host.downlinkFreeAtMs, this.origin.send(chunkBytes)) +
      (chunkBytes / (host.init.downlink ?? Infinity)) * 1000;
    this.time.at(host.downlinkFreeAtMs, () => {
      const isStored = this.origin.isUp && host.isAlive;
      if (isStored) {
        this.origin.delivered(chunk, chunkBytes);
        host.originChunks += 1;
        this.#store(host, chunk);
      }
      this.#tell(host, { kind: 'origin-fetched', manifestId: FILE, chunk, isStored });
    });
  }

  #store(host: SimulatedHost, chunk: number): void {
    host.stored.add(chunk);
    if (host.isComplete) host.completedAtMs ??= this.nowMs;
  }
}

function contentOf(chunk: number): number {
  return chunk % 251;
}
