import type { Frame } from '../frames/frame.js';
import { Bitmap } from './bitmap.js';
import type { SwapConfig } from './swap-config.js';
import { SwapEngine } from './swap-engine.js';
import type { DisconnectReason } from './swap-events.js';

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

/** One host: its engine, what it has, and its lines. */
export class SimulatedHost {
  readonly engine: SwapEngine;
  readonly stored: Bitmap;
  readonly wanted: Set<number>;
  readonly peers = new Set<SimulatedHost>();
  readonly banned = new Set<string>();
  readonly disconnects: Array<{ peer: string; reason: DisconnectReason }> = [];
  badChunks = 0;
  /** Chunks that the origin has sent it. */
  originChunks = 0;
  isAlive = true;
  uplinkFreeAtMs = 0;
  downlinkFreeAtMs = 0;
  completedAtMs: number | undefined;

  constructor(
    readonly init: SimulatedHostInit,
    chunks: number,
    random: () => number,
    nowMs: number,
  ) {
    this.stored = Bitmap.of(chunks, init.have ?? []);
    this.wanted = new Set(init.want ?? Array.from({ length: chunks }, (_, index) => index));
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
