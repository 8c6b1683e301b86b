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
  /** Bound of an answer's age. From half of it on it is asked for anew, while nobody waits. */
  readonly maxAgeMs: number;
  /** Of the process, in milliseconds. */
  readonly now?: () => number;
}

interface Entry<Answer> {
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
  private readonly entries: BoundedCache<string, Entry<Answer>>;
  private readonly first: Batcher<Question, Answer>;
  private readonly again: Batcher<Question, Answer>;
  private readonly now: () => number;
  private isClosed = false;
  /** What was asked before everything was forgotten may be out of date when the answer comes. */
  private generation = 0;

  constructor(private readonly options: RememberedOptions<Question, Answer>) {
    this.now = options.now ?? (() => performance.now());
    this.entries = new BoundedCache(options.maxEntries, options.maxAgeMs, this.now);
    const bounds = { maxItems: BATCH_QUESTIONS, maxWaiting: MAX_WAITING };
    this.first = new Batcher(options.load, { ...bounds, ...FIRST });
    this.again = new Batcher((questions) => this.loadAgain(questions), { ...bounds, ...AGAIN });
  }

  async find(question: Question): Promise<Answer> {
    const entry = this.entries.get(this.options.keyOf(question));
    if (!entry || this.options.answers?.(entry.answer, question) === false) {
      return this.ask(question, this.first);
    }
    if (!entry.isAskedAgain && this.now() - entry.askedAtMs > this.options.maxAgeMs / 2) {
      entry.isAskedAgain = true;
      // Where that fails, whoever comes when the answer is too old asks, waits, and is told.
      void this.ask(question, this.again).catch(() => undefined);
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

  private loadAgain(questions: readonly Question[]): Promise<readonly Answer[]> {
    if (this.isClosed) return Promise.reject(new Error('closed'));
    return this.options.load(questions);
  }

  private async ask(question: Question, batcher: Batcher<Question, Answer>): Promise<Answer> {
    const { generation } = this;
    const askedAtMs = this.now();
    const answer = await batcher.submit(question);
    if (generation === this.generation) {
      this.entries.set(this.options.keyOf(question), { answer, askedAtMs, isAskedAgain: false });
    }
    return answer;
  }
}
