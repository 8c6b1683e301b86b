import { formatSeconds } from './output.js';

const BAR_CELLS = 28;
/** A shorter bar says less than the space it takes. */
const MIN_BAR_CELLS = 6;
const DEFAULT_COLUMNS = 80;
/** Without a terminal so many lines are written until the end, after one at the beginning. */
const PLAIN_LINES = 10;
const REDRAW_MS = 100;
/** The rate is that of the last half minute: early units tell little about a queue that has filled since. */
const RATE_WINDOW_MS = 30_000;

export interface ProgressBarInit {
  readonly label: string;
  readonly total: number;
  /** What is counted, such as `units`; left out where {@link format} says it. */
  readonly unit?: string;
  /** How an amount is written, such as `3.4 MiB`. */
  readonly format?: (amount: number) => string;
  readonly stream?: NodeJS.WriteStream;
  readonly nowMs?: () => number;
}

/** Progress with rate and remaining time on stderr: a bar on a terminal, plain lines elsewhere. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #nowMs: () => number;
  #history: Array<{ atMs: number; done: number }> = [];
  #total: number;
  #lastDrawnMs = Number.NEGATIVE_INFINITY;
  #plainLines = -1;

  constructor(private readonly init: ProgressBarInit) {
    this.#stream = init.stream ?? process.stderr;
    this.#nowMs = init.nowMs ?? Date.now;
    this.#total = init.total;
    this.startAt(0);
  }

  /** Tells how much was done before: it is no part of the rate. */
  startAt(done: number): void {
    this.#history = [{ atMs: this.#nowMs(), done }];
  }

  /** Tells how much is done; a total that was unknown before may come with it. */
  update(done: number, total: number = this.#total): void {
    this.#total = total;
    const nowMs = this.#nowMs();
    this.#remember(nowMs, done);
    if (this.#stream.isTTY) {
      if (nowMs - this.#lastDrawnMs < REDRAW_MS && done < total) return;
      this.#lastDrawnMs = nowMs;
      this.#draw(done);
      return;
    }
    // How far it is cannot be said before it is known how much there is.
    const lines = total > 0 ? Math.floor((done * PLAIN_LINES) / total) : -1;
    if (lines <= this.#plainLines) return;
    this.#plainLines = lines;
    this.#stream.write(`${this.#line(done)}\n`);
  }

  /** Lets something else be said on its stream: above the bar, where there is one. */
  aside(say: () => void): void {
    const isDrawn = this.#stream.isTTY && this.#lastDrawnMs > Number.NEGATIVE_INFINITY;
    if (isDrawn) this.#stream.write('\r\u001b[K');
    say();
    if (isDrawn) this.#draw(this.#history.at(-1)?.done ?? 0);
  }

  /** Leaves the last state standing and goes to the next line. */
  end(): void {
    if (this.#stream.isTTY && this.#lastDrawnMs > Number.NEGATIVE_INFINITY) this.#stream.write('\n');
  }

  #draw(done: number): void {
    this.#stream.write(`\r${this.#line(done).slice(0, this.#columns - 1)}\u001b[K`);
  }

  get #columns(): number {
    return this.#stream.columns || DEFAULT_COLUMNS;
  }

  #line(done: number): string {
    const share = this.#total > 0 ? Math.min(1, done / this.#total) : 0;
    const { format = String } = this.init;
    const unit = this.init.unit === undefined ? '' : ` ${this.init.unit}`;
    const amounts = `${format(done)} of ${format(this.#total)}${unit}`;
    const perSecond = this.#perSecond();
    const rate =
      perSecond > 0 && done < this.#total
        ? `, ${rateText(perSecond, format, unit)}, ${formatSeconds((this.#total - done) / perSecond)} left`
        : '';
    const text = `${Math.floor(share * 100)} % (${amounts}${rate})`;
    return `${this.init.label} ${this.#bar(share, text.length)}${text}`;
  }

  /** As long as the line has room for it: a line that wraps could not be drawn over. */
  #bar(share: number, textLength: number): string {
    if (!this.#stream.isTTY) return '';
    const room = this.#columns - this.init.label.length - textLength - 3;
    const length = Math.min(BAR_CELLS, room);
    if (length < MIN_BAR_CELLS) return '';
    const cells = Math.round(share * length);
    return `${'█'.repeat(cells)}${'░'.repeat(length - cells)} `;
  }

  #remember(atMs: number, done: number): void {
    this.#history.push({ atMs, done });
    while (this.#history.length > 2 && atMs - (this.#history[1]?.atMs ?? atMs) > RATE_WINDOW_MS) {
      this.#history.shift();
    }
  }

  #perSecond(): number {
    const first = this.#history[0];
    const last = this.#history.at(-1);
    if (!first || !last || last.atMs === first.atMs) return 0;
    return ((last.done - first.done) * 1000) / (last.atMs - first.atMs);
  }
}

/** Slow work reads better by the minute. */
function rateText(perSecond: number, format: (amount: number) => string, unit: string): string {
  if (perSecond >= 1) return `${format(Number(perSecond.toFixed(1)))}${unit}/s`;
  return `${format(Number((perSecond * 60).toFixed(1)))}${unit}/min`;
}
