import { Batcher } from '../database/index.js';
import { BoundedCache } from './bounded-cache.js';

export interface RememberedOptions<Question, Answer> {
  /** Questions with the same key have the same answer. */
  readonly keyOf: (question: Question) => string;
  /** Answers questions in their order. */
  readonly load: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  /** Whether what is remembered answers this very question; left out: it does. */
  readonly answers?: (answer: Answer, question: Question) => boolean;
  readonly maxEntries: number;
  /** Bound of an answer's age since it came. From half of it on it is asked for anew, while nobody waits. */
  readonly maxAgeMs: number;
  /** Of the process, in milliseconds. */
  readonly now?: () => number;
}

interface Entry<Question, Answer> {
  readonly question: Question;
  readonly answer: Answer;
  readonly askedAtMs: number;
  isAskedAgain: boolean;
}

const BATCH_QUESTIONS = 256;
const MAX_WAITING = 20_000;
/** Somebody waits. */
const FIRST = { windowMs: 1, intervalMs: 8, busyIntervalMs: 32, concurrency: 2 };
/** Nobody waits: few large statements. */
const AGAIN = { windowMs: 250, intervalMs: 250, concurrency: 1 };

/** Answers from the database that many calls need again and again: asked for in batches and remembered for a while. */
export class Remembered<Question, Answer> {
  private readonly entries: BoundedCache<string, Entry<Question, Answer>>;
  private readonly first: Batcher<Question, Answer>;
  private readonly again: Batcher<Entry<Question, Answer>, null>;
  private readonly now: () => number;
  private isClosed = false;
  /** What was asked before something was forgotten may be out of date when the answer comes. */
  private generation = 0;

  constructor(private readonly options: RememberedOptions<Question, Answer>) {
    this.now = options.now ?? (() => performance.now());
    this.entries = new BoundedCache(options.maxEntries, options.maxAgeMs, this.now);
    const bounds = { maxItems: BATCH_QUESTIONS, maxWaiting: MAX_WAITING };
    this.first = new Batcher(options.load, { ...bounds, ...FIRST });
    this.again = new Batcher((entries) => this.loadAgain(entries), { ...bounds, ...AGAIN });
  }

  async find(question: Question): Promise<Answer> {
    const entry = this.entries.get(this.options.keyOf(question));
    if (!entry || this.options.answers?.(entry.answer, question) === false) return this.ask(question);
    if (!entry.isAskedAgain && this.now() - entry.askedAtMs > this.options.maxAgeMs / 2) {
      entry.isAskedAgain = true;
      // Where that fails the next call tries again; once the answer is too old, whoever comes waits and is told.
      this.again.submit(entry).catch(() => (entry.isAskedAgain = false));
    }
    return entry.answer;
  }

  forget(key: string): void {
    this.generation += 1;
    this.entries.delete(key);
  }

  forgetAll(): void {
    this.generation += 1;
    this.entries.clear();
  }

  /** Nothing is asked for anew from now on. */
  close(): void {
    this.isClosed = true;
  }

  private async ask(question: Question): Promise<Answer> {
    const { generation } = this;
    const askedAtMs = this.now();
    const answer = await this.first.submit(question);
    if (generation === this.generation) this.remember(question, answer, askedAtMs);
    return answer;
  }

  /** Only what is still remembered: a newer answer, or an answer to a newer question, stays. */
  private async loadAgain(entries: ReadonlyArray<Entry<Question, Answer>>): Promise<null[]> {
    const isCurrent = (entry: Entry<Question, Answer>): boolean =>
      this.entries.get(this.options.keyOf(entry.question)) === entry;
    const current = this.isClosed ? [] : entries.filter(isCurrent);
    const askedAtMs = this.now();
    const answers =
      current.length === 0 ? [] : await this.options.load(current.map(({ question }) => question));
    for (const [at, answer] of answers.entries()) {
      const entry = current[at];
      if (entry && isCurrent(entry)) this.remember(entry.question, answer, askedAtMs);
    }
    return entries.map(() => null);
  }

  private remember(question: Question, answer: Answer, askedAtMs: number): void {
    this.entries.set(this.options.keyOf(question), { question, answer, askedAtMs, isAskedAgain: false });
  }
}
