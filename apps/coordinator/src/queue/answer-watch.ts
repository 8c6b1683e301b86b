import { inTime } from './in-time.js';

const LOOK_EVERY_MS = 2_000;
/** One that is well answers within milliseconds; a loaded machine may take seconds. */
const SILENT_AFTER_LOOKS = 2;

/**
 * Notices that a backend does not answer, which it tells nobody by itself. One question at a time: those that were asked of one that is
 * away would all wait for its return.
 */
export class AnswerWatch {
  private asking: Promise<boolean> | undefined;
  /**
   * Times that the last question was found unanswered. Not by the clock: a process that stood still for long, whose answer waits to be
   * read, looks but once.
   */
  private looksInVain = 0;
  private readonly timer: NodeJS.Timeout;

  /** @param ask whatever costs little and needs the backend */
  constructor(
    private readonly ask: () => Promise<unknown>,
    private readonly onError: (error: unknown) => void,
  ) {
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  /** Asked at least two looks ago, and not answered yet. */
  get isSilent(): boolean {
    return this.looksInVain >= SILENT_AFTER_LOOKS;
  }

  /** Whether it answers within this time from now. */
  answersWithin(milliseconds: number): Promise<boolean> {
    return inTime(this.question(), milliseconds, false);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    if (this.asking === undefined) void this.question();
    else this.looksInVain += 1;
  }

  private question(): Promise<boolean> {
    this.asking ??= this.answer().finally(() => {
      this.asking = undefined;
      this.looksInVain = 0;
    });
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
