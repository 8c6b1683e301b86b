import type { Frame } from '../frames/frame.js';
import { Bitmap } from './bitmap.js';
import { RateMeter } from './rate-meter.js';
import type { SwapConfig } from './swap-config.js';
import type { AuthorizePeer, DisconnectReason, FileInit, SwapAction } from './swap-events.js';
import { TokenBucket } from './token-bucket.js';

/** Generous for a peer that announces a large file's chunks, and far below what would keep this host busy. */
const CONTROL_FRAMES_PER_SECOND = 2000;
const CONTROL_FRAME_BURST = 20_000;

/** A chunk that a peer was asked for. */
export interface Download {
  readonly file: FileState;
  readonly chunk: number;
  readonly requestedAtMs: number;
  /** When its first block came. */
  startedAtMs: number | undefined;
  receivedBytes: number;
  /** Blocks of an earlier, cancelled request for the same chunk may come first. */
  readonly isRepeated: boolean;
  /** Allocated at the first block. */
  bytes: Uint8Array | undefined;
}

/** A chunk that a peer asked for. `offset`: bytes already handed to the link. */
interface Upload {
  readonly file: FileState;
  readonly chunk: number;
  offset: number;
}

/** One file as seen with one peer. */
export interface PeerFile {
  /** Until when the peer's ticket lets it have the file; undefined before it showed one. */
  permittedUntilMs: number | undefined;
  /** What the peer says it has; undefined until it has let us in. */
  has: Bitmap | undefined;
  /** Chunks that this host has got and that the peer has not been told of. */
  readonly untold: Set<number>;
  theyWant: boolean;
  weWant: boolean;
}

/** A file that the peer opened, as it numbers it. */
export interface TheirChannel {
  readonly manifestId: string;
  readonly ticket: Uint8Array;
  /** The ticket was judged and let nobody in: the same one is not judged again. */
  isRefused: boolean;
}

export interface PeerState {
  readonly id: string;
  /** Its own signed record, for others. */
  record: Uint8Array | undefined;
  readonly files: Map<FileState, PeerFile>;
  /** Which file the peer means by a channel. */
  readonly theirChannels: Map<number, TheirChannel>;
  readonly downloads: Map<string, Download>;
  readonly uploads: Upload[];
  /** Chunks given up whose blocks may still be on their way; the oldest leaves first. */
  readonly cancelled: Set<string>;
  /** What it may still send of chunks that were given up: whatever else comes unasked is a fault. */
  lateBytes: number;
  /** Chunks that this peer would not deliver, and when to try again. */
  readonly refusedUntilMs: Map<string, number>;
  readonly received: RateMeter;
  readonly sent: RateMeter;
  /** By peer id, the record that it was told last. */
  readonly recordsTold: Map<string, Uint8Array>;
  grantsUsSlot: boolean;
  holdsOurSlot: boolean;
  unsentBytes: number;
  /** When its link last took bytes, or was first handed some after it had taken all. */
  lastFlushAtMs: number;
  /** When it was given our slot or last used it. */
  slotUsedAtMs: number;
  /** Until when others come before it, because it held a slot in vain. */
  slotIdleUntilMs: number;
  lastBlockAtMs: number;
  stalls: number;
  snubbedUntilMs: number;
  recordsAllowedAtMs: number;
  recordsSentAtMs: number;
  /** Frames other than blocks that it may still send now. */
  readonly controlFrames: TokenBucket;
}

export interface OriginState {
  isAsked: boolean;
  askAgainAtMs: number;
  /** The last answer said that other hosts fetch what is missing. */
  isElsewhere: boolean;
  /** Since when a wanted chunk has been out of peers' reach. */
  readonly outOfReachSinceMs: Map<number, number>;
  /** Chunks on their way from the origin, and since when. */
  readonly fetching: Map<number, number>;
}

/** A file and the chunks that are wanted of it. */
export class FileState {
  readonly have: Bitmap;
  readonly wanted: Map<number, number> = new Map();
  /** Wanted and not in the store. */
  readonly missing = new Set<number>();
  readonly availability: Uint16Array;
  /** Peers that were asked for a chunk. */
  readonly askedOf = new Map<number, Set<PeerState>>();
  readonly checking = new Set<number>();
  /** When a peer last said that it has got a chunk, or brought one. */
  movedAtMs = Number.NEGATIVE_INFINITY;
  readonly origin: OriginState = {
    isAsked: false,
    askAgainAtMs: 0,
    isElsewhere: false,
    outOfReachSinceMs: new Map(),
    fetching: new Map(),
  };
  ticket: Uint8Array;

  constructor(
    readonly init: FileInit,
    readonly channel: number,
    /** When this host came to share it. */
    readonly addedAtMs: number,
  ) {
    this.have = new Bitmap(init.chunkCount, init.have.bytes);
    this.availability = new Uint16Array(init.chunkCount);
    this.ticket = init.ticket;
  }

  get manifestId(): string {
    return this.init.manifestId;
  }

  chunkLength(chunk: number): number {
    return Math.min(this.init.chunkBytes, this.init.sizeBytes - chunk * this.init.chunkBytes);
  }

  /** Nobody is delivering it, or only an origin that has had it for longer than `originPatienceMs`. */
  isFree(chunk: number, nowMs: number, originPatienceMs: number): boolean {
    if (this.askedOf.has(chunk) || this.checking.has(chunk)) return false;
    const sinceMs = this.origin.fetching.get(chunk);
    return sinceMs === undefined || nowMs - sinceMs >= originPatienceMs;
  }
}

/** Everything that the engine's parts share. `actions` gathers what the current event leads to. */
export class SwapState {
  readonly files = new Map<string, FileState>();
  readonly peers = new Map<string, PeerState>();
  readonly uploadBucket: TokenBucket;
  readonly downloadBucket: TokenBucket;
  actions: SwapAction[] = [];
  bufferedBytes = 0;
  wastedBytes = 0;

  constructor(
    readonly config: SwapConfig,
    readonly random: () => number,
    readonly authorize: AuthorizePeer,
    nowMs: number,
  ) {
    this.uploadBucket = new TokenBucket(config.uploadBytesPerSecond, config.sendQueueBytes / 2, nowMs);
    this.downloadBucket = new TokenBucket(config.downloadBytesPerSecond, config.sendQueueBytes / 2, nowMs);
  }

  /** Whether nobody wants anything of anybody: what is left to do falls due by itself. */
  get isIdle(): boolean {
    for (const { missing, checking } of this.files.values())
      if (missing.size + checking.size > 0) return false;
    for (const { uploads, unsentBytes, downloads, files } of this.peers.values()) {
      if (uploads.length + unsentBytes + downloads.size > 0) return false;
      for (const { theyWant, untold } of files.values()) if (theyWant || untold.size > 0) return false;
    }
    return true;
  }

  send(peer: PeerState, frame: Frame): void {
    this.actions.push({ kind: 'send', peer: peer.id, frame });
  }

  get heldEntries(): number {
    let entries = 0;
    for (const peer of this.peers.values()) {
      for (const { untold } of peer.files.values()) entries += untold.size;
      entries +=
        peer.files.size +
        peer.theirChannels.size +
        peer.downloads.size +
        peer.uploads.length +
        peer.cancelled.size +
        peer.refusedUntilMs.size +
        peer.recordsTold.size;
    }
    for (const { wanted, missing, askedOf, checking, origin } of this.files.values())
      entries +=
        wanted.size +
        missing.size +
        askedOf.size +
        checking.size +
        origin.outOfReachSinceMs.size +
        origin.fetching.size;
    return entries;
  }

  disconnect(peer: Pick<PeerState, 'id'>, reason: DisconnectReason): void {
    this.actions.push({ kind: 'disconnect', peer: peer.id, reason, ban: reason === 'bad-chunk' });
  }
}

export function downloadKey(file: FileState, chunk: number): string {
  return `${file.channel}/${chunk}`;
}

export function newPeerState(id: string, record: Uint8Array | undefined, nowMs: number): PeerState {
  return {
    id,
    record,
    files: new Map(),
    theirChannels: new Map(),
    downloads: new Map(),
    uploads: [],
    cancelled: new Set(),
    lateBytes: 0,
    refusedUntilMs: new Map(),
    received: new RateMeter(nowMs),
    sent: new RateMeter(nowMs),
    recordsTold: new Map(),
    grantsUsSlot: false,
    holdsOurSlot: false,
    unsentBytes: 0,
    lastFlushAtMs: nowMs,
    slotUsedAtMs: nowMs,
    slotIdleUntilMs: 0,
    lastBlockAtMs: nowMs,
    stalls: 0,
    snubbedUntilMs: 0,
    recordsAllowedAtMs: 0,
    recordsSentAtMs: 0,
    controlFrames: new TokenBucket(CONTROL_FRAMES_PER_SECOND, CONTROL_FRAME_BURST, nowMs),
  };
}
