const LOOK_EVERY_MS = 1_000;
/** What ends again and again is started again ever more rarely. */
const LAST_WAIT_MS = 30_000;

export interface Kept {
  readonly isRunning: () => boolean;
  /** Resolves once it runs as it did before. */
  readonly startAgain: () => Promise<void>;
  /** Hears that it has ended, and why it cannot be started. */
  readonly tell: (trouble: string) => void;
}

/** Looks whether something runs, and starts it again where it has ended by itself. */
export class Keeper {
  private readonly timer: NodeJS.Timeout;
  private starting: Promise<void> | undefined;
  private waitMs = 0;
  private notBeforeMs = 0;

  constructor(private readonly kept: Kept) {
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  /** Looks no more. */
  leave(): void {
    clearInterval(this.timer);
  }

  /** Looks no more, and waits for a start that has begun. Stopping twice is safe. */
  async stop(): Promise<void> {
    this.leave();
    await this.starting;
  }

  private look(): void {
    if (this.starting || performance.now() < this.notBeforeMs) return;
    if (this.kept.isRunning()) {
      this.waitMs = 0;
      return;
    }
    this.starting = this.startAgain().finally(() => (this.starting = undefined));
  }

  private async startAgain(): Promise<void> {
    this.kept.tell('it has ended by itself, and is started again');
    try {
      await this.kept.startAgain();
    } catch (error) {
      this.kept.tell(error instanceof Error ? error.message : String(error));
    }
    this.waitMs = Math.min(Math.max(2 * this.waitMs, LOOK_EVERY_MS), LAST_WAIT_MS);
    this.notBeforeMs = performance.now() + this.waitMs;
  }
}
