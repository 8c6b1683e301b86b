import { Bitmap, SwapEngine, type SwapAction, type SwapConfig, type SwapEvent } from '@gleaner/swarm/engine';
import { encodeFrame, FRAME_LIMITS, type Frame } from '@gleaner/swarm/frames';
import type { Random } from './fuzz-sandbox-random.js';
import { CONFIG, PEERS, requireBounds, requireLawful } from './fuzz-swarm-laws.js';
import {
  CHUNK_BYTES,
  chunkLength,
  CHUNKS,
  FILES,
  frameOf,
  type FuzzPeer,
  greeting,
  manifestIdOf,
  SIZE_BYTES,
} from './fuzz-swarm-peers.js';

type ActionOf<K extends SwapAction['kind']> = Extract<SwapAction, { kind: K }>;

const STEPS = 400;
const TICKET_MS = 40_000;

/**
 * One host's engine among peers that say whatever the frames allow, mostly what makes sense at the moment, while its own chunks, files and
 * limits come and go. Whatever happens, it must not throw, must stay within its bounds, serve nobody without a ticket, ban nobody
 * but for a bad chunk, and have nothing to do with those who are gone.
 */
export class EngineEpisode {
  #nowMs = 0;
  readonly #peers = new Map<string, FuzzPeer>();
  readonly #banned = new Set<string>();
  /** The engine's own channels; the peers' are the numbers of the files. */
  readonly #fileOfChannel = new Map<number, number>();
  readonly #have = new Map<string, Set<number>>();
  readonly #checks: Array<ActionOf<'check'>> = [];
  readonly #asks: Array<ActionOf<'origin-ask'>> = [];
  readonly #fetches: Array<ActionOf<'origin-fetch'>> = [];
  readonly #wanted: Array<{ readonly manifestId: string; readonly chunks: readonly number[] }> = [];
  readonly #engine: SwapEngine;
  readonly #config: Partial<SwapConfig>;
  /** The peer whose bad chunk was just found out. */
  #guilty: string | undefined;
  /** What a ticket no longer allows is served until the next tick, and no longer. */
  #tickedAtMs = 0;
  /** Of each kind of action, how many there were: a fuzzer that reaches nothing proves nothing. */
  readonly reached = new Map<string, number>();

  constructor(private readonly random: Random) {
    const isLimited = random.chance(30);
    this.#config = {
      ...CONFIG,
      ...(isLimited && { uploadBytesPerSecond: 100_000, downloadBytesPerSecond: 200_000 }),
    };
    this.#engine = new SwapEngine({
      random: () => random.int(2 ** 30) / 2 ** 30,
      nowMs: 0,
      config: this.#config,
      authorize: (peer, manifestId, ticket) => this.#authorize(peer, manifestId, ticket),
    });
  }

  /** @throws {Error} when an invariant does not hold */
  run(): void {
    for (let step = 0; step < STEPS; step += 1) {
      this.#step();
      this.#nowMs += this.random.chance(2) ? this.random.int(12_000) : this.random.int(30);
      requireBounds(this.#engine, {
        peers: this.#peers,
        files: this.#have.size,
        nowMs: this.#nowMs,
      });
    }
    this.#end();
  }

  #step(): void {
    const { random } = this;
    const manifestId = manifestIdOf(random.int(FILES));
    switch (random.int(12)) {
      case 0:
        this.#tickedAtMs = this.#nowMs;
        return this.#tell({ kind: 'tick' });
      case 1:
        return random.chance(30) ? this.#toggleFile(manifestId) : this.#connect();
      case 2:
        return random.chance(10) ? this.#disconnect(this.#anyPeer()) : this.#flush(this.#anyPeer());
      case 3:
        return this.#settleCheck();
      case 4:
        return this.#answerOrigin();
      case 5:
        return this.#changeMind(manifestId);
      default: {
        const peer = this.#anyPeer();
        if (!peer) return;
        if (random.chance(10)) this.#requestMany(peer);
        else this.#hear(peer, frameOf(peer, random));
      }
    }
  }

  /** More than its link takes at once, and now and then more than may wait. */
  #requestMany(peer: FuzzPeer): void {
    const channel = this.random.int(FILES);
    const count = 2 + this.random.int(this.random.chance(10) ? CHUNKS : 8);
    for (let chunk = 0; chunk < count; chunk += 1) this.#hear(peer, { type: 'request', channel, chunk });
  }

  #hear(peer: FuzzPeer, frame: Frame): void {
    this.#tell({ kind: 'frame', peer: peer.name, frame });
  }

  #connect(): void {
    const name = `peer-${this.random.int(PEERS)}`;
    if (this.#banned.has(name) || this.#peers.has(name)) return;
    const peer: FuzzPeer = { name, permittedUntilMs: new Map(), owed: new Map(), unsentBytes: 0 };
    this.#peers.set(name, peer);
    this.#tell({ kind: 'peer-connected', peer: name, record: Buffer.from(name) });
    if (this.random.chance(10)) return;
    // Most begin as peers do, or little would ever happen.
    for (const frame of greeting()) this.#hear(peer, frame);
  }

  #disconnect(peer: FuzzPeer | undefined): void {
    if (!peer || !this.#peers.delete(peer.name)) return;
    this.#tell({ kind: 'peer-disconnected', peer: peer.name });
  }

  #flush(peer: FuzzPeer | undefined): void {
    if (!peer || peer.unsentBytes === 0) return;
    const bytes = peer.unsentBytes;
    peer.unsentBytes = 0;
    this.#tell({ kind: 'flushed', peer: peer.name, bytes });
  }

  #toggleFile(manifestId: string): void {
    if (this.#have.delete(manifestId)) return this.#tell({ kind: 'file-removed', manifestId });
    const chunks = Array.from({ length: CHUNKS }).keys();
    const have = Bitmap.of(
      CHUNKS,
      [...chunks].filter(() => this.random.chance(30)),
    );
    this.#have.set(manifestId, new Set(have));
    this.#tell({
      kind: 'file-added',
      file: {
        manifestId,
        sizeBytes: SIZE_BYTES,
        chunkBytes: CHUNK_BYTES,
        chunkCount: CHUNKS,
        have,
        ticket: Buffer.from('valid'),
      },
    });
    this.#want(manifestId);
  }

  #want(manifestId: string): void {
    const chunks = Array.from({ length: 1 + this.random.int(CHUNKS) }, () => this.random.int(CHUNKS));
    this.#wanted.push({ manifestId, chunks });
    this.#tell({ kind: 'wanted', manifestId, chunks });
  }

  #settleCheck(): void {
    const check = this.#checks.splice(this.random.int(this.#checks.length + 1), 1)[0];
    if (!check) return;
    const verdict = this.random.chance(80) ? 'good' : this.random.pick(['bad', 'not-stored'] as const);
    const { manifestId, chunk, peer } = check;
    if (verdict === 'good') this.#have.get(manifestId)?.add(chunk);
    if (verdict === 'bad') this.#guilty = peer;
    this.#tell({ kind: 'checked', manifestId, chunk, peer, verdict });
    if (verdict === 'bad' && (this.#peers.has(peer) || !this.#banned.has(peer)))
      throw new Error(`${peer} sent a bad chunk and may stay`);
    this.#guilty = undefined;
  }

  #answerOrigin(): void {
    const { random } = this;
    const fetch = this.#fetches.shift();
    if (fetch) {
      const { manifestId, chunk } = fetch;
      const isStored = random.chance(70);
      if (isStored) this.#have.get(manifestId)?.add(chunk);
      return this.#tell({ kind: 'origin-fetched', manifestId, chunk, isStored });
    }
    const ask = this.#asks.shift();
    if (!ask) return;
    const chunks = random.chance(50) ? [...ask.wanted].slice(0, ask.count) : [];
    const otherwise = random.pick(['busy', 'elsewhere', 'away'] as const);
    const { manifestId } = ask;
    this.#tell({ kind: 'origin-granted', manifestId, chunks, otherwise, retryAfterMs: random.int(30_000) });
  }

  #changeMind(manifestId: string): void {
    const { random } = this;
    const chunk = random.int(CHUNKS);
    switch (random.int(5)) {
      case 0:
        if (this.#have.has(manifestId)) this.#want(manifestId);
        return;
      case 1: {
        const wish = this.#wanted.shift();
        if (wish) this.#tell({ kind: 'unwanted', ...wish });
        return;
      }
      case 2:
        this.#have.get(manifestId)?.delete(chunk);
        return this.#tell({ kind: 'chunk-lost', manifestId, chunk });
      case 3:
        return this.#tell({ kind: 'ticket-renewed', manifestId, ticket: Buffer.from('renewed') });
      default:
        if (random.chance(20))
          this.#tell({
            kind: 'limits-changed',
            uploadBytesPerSecond: random.pick([0, 50_000, Number.POSITIVE_INFINITY]),
            downloadBytesPerSecond: random.pick([0, 50_000, Number.POSITIVE_INFINITY]),
          });
    }
  }

  /** Everybody leaves, everything is answered: then nothing is held any longer. */
  #end(): void {
    for (const peer of this.#peers.values()) this.#disconnect(peer);
    while (this.#checks.length > 0) this.#settleCheck();
    while (this.#fetches.length > 0) this.#answerOrigin();
    if (this.#engine.bufferedBytes !== 0)
      throw new Error(`${this.#engine.bufferedBytes} bytes are held for nobody`);
    for (const manifestId of this.#have.keys()) this.#toggleFile(manifestId);
    if (this.#engine.heldEntries !== 0)
      throw new Error(`${this.#engine.heldEntries} entries are kept of nobody and nothing`);
  }

  #tell(event: SwapEvent): void {
    for (const action of this.#engine.handle(event, this.#nowMs)) this.#act(action);
  }

  #act(action: SwapAction): void {
    this.reached.set(action.kind, (this.reached.get(action.kind) ?? 0) + 1);
    switch (action.kind) {
      case 'send': {
        // An earlier action of the same event may have ended the link.
        const peer = this.#peers.get(action.peer);
        encodeFrame(action.frame);
        if (peer) this.#note(peer, action.frame);
        return;
      }
      case 'upload':
        return requireLawful(action, {
          peer: this.#peers.get(action.peer),
          have: this.#have.get(action.manifestId),
          tickedAtMs: this.#tickedAtMs,
        });
      case 'check':
        if (action.bytes.length !== chunkLength(action.chunk)) throw new Error('a chunk of another length');
        this.#checks.push(action);
        return;
      case 'origin-ask':
        this.#asks.push(action);
        return;
      case 'origin-fetch':
        this.#fetches.push(action);
        return;
      case 'disconnect':
        if (action.ban !== (action.peer === this.#guilty)) throw new Error(`a ban over ${action.reason}`);
        if (action.ban) this.#banned.add(action.peer);
        this.reached.set(action.reason, (this.reached.get(action.reason) ?? 0) + 1);
        return this.#disconnect(this.#peers.get(action.peer));
      case 'peers-learned':
        if (action.records.length > FRAME_LIMITS.records) throw new Error('more records than allowed');
    }
  }

  #note(peer: FuzzPeer, frame: Frame): void {
    if (frame.type === 'open') this.#fileOfChannel.set(frame.channel, Number(frame.manifestId[0]));
    if (frame.type !== 'request' && frame.type !== 'cancel') return;
    const { chunk } = frame;
    const channel = this.#fileOfChannel.get(frame.channel) ?? 0;
    if (frame.type === 'request') peer.owed.set(`${channel}/${chunk}`, { channel, chunk, sentBytes: 0 });
    else if (this.random.chance(80)) peer.owed.delete(`${channel}/${chunk}`);
  }

  #authorize(name: string, manifestId: string, ticket: Uint8Array): number | undefined {
    const word = Buffer.from(ticket).toString();
    if (word !== 'valid') return word === 'expired' ? this.#nowMs - 1 : undefined;
    const untilMs = this.#nowMs + TICKET_MS;
    this.#peers.get(name)?.permittedUntilMs.set(manifestId, untilMs);
    return untilMs;
  }

  #anyPeer(): FuzzPeer | undefined {
    return [...this.#peers.values()][this.random.int(Math.max(1, this.#peers.size))];
  }
}
