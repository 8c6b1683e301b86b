import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { callbackify } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/index.js';

/** What one caller sends before the next one has its turn. */
const PIECE_BYTES = 32 * 1024;
/** Timers fire late: so much of the line may be spent ahead, so that nothing of it is lost. */
const SLACK_MS = 20;

interface Turn {
  readonly bytes: number;
  readonly go: () => void;
  isCancelled: boolean;
}

/** The capped line of all downloads of this process: callers take turns, whatever number of connections each has. */
@Injectable()
export class OriginLine {
  /** Turns by caller; the first caller is the next. */
  private readonly waiting = new Map<string, Turn[]>();
  private timer: NodeJS.Timeout | undefined;
  private freeAtMs = 0;

  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'originBytesPerSecond'>) {}

  /** The same bytes at the caller's share of the line; the stream itself where the line has no cap. */
  pace(content: Readable, caller: string): Readable {
    const bytesPerSecond = this.config.originBytesPerSecond;
    if (bytesPerSecond === null) return content;
    let turn: Turn | undefined;
    const pass = async (paced: Transform, part: Buffer): Promise<void> => {
      for (let at = 0; at < part.length; at += PIECE_BYTES) {
        const piece = part.subarray(at, at + PIECE_BYTES);
        await new Promise<void>((go) => {
          turn = { bytes: piece.length, go, isCancelled: false };
          this.queue(caller, turn, bytesPerSecond);
        });
        paced.push(piece);
      }
    };
    const passPart = callbackify(pass);
    const paced = new Transform({
      transform(part: Buffer, _encoding, done: TransformCallback) {
        passPart(this, part, done);
      },
      destroy(error, done) {
        // Nobody waits for this piece any more: it must not cost the others anything.
        if (turn) turn.isCancelled = true;
        done(error);
      },
    });
    // Whoever reads sees the error; here both ends are only closed together.
    return pipeline(content, paced, () => undefined);
  }

  private queue(caller: string, turn: Turn, bytesPerSecond: number): void {
    const own = this.waiting.get(caller);
    if (own) own.push(turn);
    else this.waiting.set(caller, [turn]);
    if (this.timer === undefined) this.serve(bytesPerSecond);
  }

  private serve(bytesPerSecond: number): void {
    this.timer = undefined;
    for (const [caller, turns] of this.waiting) {
      const nowMs = performance.now();
      const waitMs = this.freeAtMs - nowMs - SLACK_MS;
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.serve(bytesPerSecond), Math.ceil(waitMs));
        return;
      }
      const turn = turns.shift();
      // Who still waits goes behind the others; a map's loop comes to what is added meanwhile.
      this.waiting.delete(caller);
      if (turns.length > 0) this.waiting.set(caller, turns);
      if (!turn || turn.isCancelled) continue;
      this.freeAtMs = Math.max(this.freeAtMs, nowMs) + (turn.bytes / bytesPerSecond) * 1000;
      turn.go();
    }
  }
}
