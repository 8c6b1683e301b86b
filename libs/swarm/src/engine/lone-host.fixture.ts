import type { Frame } from '../frames/frame.js';
import { Bitmap } from './bitmap.js';
import type { SwapConfig } from './swap-config.js';
import { SwapEngine } from './swap-engine.js';
import type { DisconnectReason, SwapAction } from './swap-events.js';

export const FILE = 'f'.repeat(64);
export const CHUNKS = 64;
export const CHUNK_BYTES = 256 * 1024;
export const TICKET = Uint8Array.of(1);

/** One host's engine, and what it does; time passes as the test says, and peers are what it is told. */
export class LoneHost {
  nowMs = 0;
  judged = 0;
  readonly actions: SwapAction[] = [];
  readonly #engine: SwapEngine;

  constructor(
    readonly have: readonly number[],
    config: Partial<SwapConfig> = {},
  ) {
    this.#engine = new SwapEngine({
      authorize: () => {
        this.judged += 1;
        return Number.POSITIVE_INFINITY;
      },
      random: () => 0.5,
      nowMs: 0,
      config: { originChunks: 0, ...config },
    });
    this.tell({
      kind: 'file-added',
      file: {
        manifestId: FILE,
        sizeBytes: CHUNKS * CHUNK_BYTES,
        chunkBytes: CHUNK_BYTES,
        chunkCount: CHUNKS,
        have: Bitmap.of(CHUNKS, have),
        ticket: TICKET,
      },
    });
  }

  tell(event: Parameters<SwapEngine['handle']>[0]): readonly SwapAction[] {
    const actions = this.#engine.handle(event, this.nowMs);
    this.actions.push(...actions);
    return actions;
  }

  hear(peer: string, ...frames: readonly Frame[]): void {
    for (const frame of frames) this.tell({ kind: 'frame', peer, frame });
  }

  /** A peer that shares the file and has these chunks. */
  meet(peer: string, has: readonly number[] = []): void {
    this.tell({ kind: 'peer-connected', peer });
    this.hear(
      peer,
      { type: 'open', channel: 0, manifestId: FILE, ticket: TICKET },
      { type: 'bitmap', channel: 0, count: CHUNKS, bits: Bitmap.of(CHUNKS, has).bytes },
    );
  }

  pass(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += 100;
      this.tell({ kind: 'tick' });
    }
  }

  reasonsToLeave(peer: string): DisconnectReason[] {
    return this.actions.flatMap((action) =>
      action.kind === 'disconnect' && action.peer === peer ? [action.reason] : [],
    );
  }

  /** Frames of one type that the peer was sent. */
  sent<T extends Frame['type']>(peer: string, type: T): Array<Extract<Frame, { type: T }>> {
    return this.actions.flatMap((action) =>
      action.kind === 'send' && action.peer === peer && isOf(action.frame, type) ? [action.frame] : [],
    );
  }

  uploadedBytes(peer: string): number {
    return this.actions.reduce(
      (sum, action) => sum + (action.kind === 'upload' && action.peer === peer ? action.length : 0),
      0,
    );
  }
}

function isOf<T extends Frame['type']>(frame: Frame, type: T): frame is Extract<Frame, { type: T }> {
  return frame.type === type;
}
