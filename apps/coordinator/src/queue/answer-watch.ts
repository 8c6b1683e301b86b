import { inTime } from './in-time.js';

const LOOK_EVERY_MS = 2_000;
/** One that is well answers within milliseconds. */
const ANSWERS_WITHIN_MS = 2_000;

/**
 * Notices that a backend does not answer, which it tells nobody by itself. One question at a time: those that were asked of one that is
 * away would all wait for its return.
 */
export class AnswerWatch {
  private asking: Promise<boolean> | undefined;
  private askedAtMs = 0;
  private readonly timer: NodeJS.Timeout;

  /** @param ask whatever costs little and needs the backend */
  constructor(
    private readonly ask: () => Promise<unknown>,
    private readonly onError: (error: unknown) => void,
  ) {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  /** Asked before long, and not answered yet. */
  get isSilent(): boolean {
    return this.asking !== undefined && performance.now() - this.askedAtMs > ANSWERS_WITHIN_MS;
  }

  /** Whether it answers within this time from now. */
  answersWithin(milliseconds: number): Promise<boolean> {
    return inTime(this.look(), milliseconds, false);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): Promise<boolean> {
    if (this.asking === undefined) {
      this.askedAtMs = performance.now();
      this.asking = this.answer().finally(() => (this.asking = undefined));
    }
    return this.asking;
  }

  private async answer(): Promise<boolean> {
    try {
      await this.ask();
      return true;
    } catch (error) {
      this.onError(error);
      return false;
    }
  }
}
