import { join } from 'node:path';
import { SWARM_LIMITS, type SwarmTrafficReport } from '@gleaner/protocol';
import type { FileTraffic, SwarmProgress } from '@gleaner/swarm/process';
import { z } from 'zod';
import { StateFile } from './state-file.js';

const bytes = z.number().int().min(0);
const ledger = z.strictObject({
  v: z.literal(1),
  fromPeersBytes: bytes,
  fromOriginBytes: bytes,
  toPeersBytes: bytes,
  /** By the volunteer's clock, such as `2026-11`. */
  month: z.string(),
  /** From and to other volunteers, what was worth nothing included. */
  monthBytes: bytes,
  /** Of the last report. */
  lastSeq: bytes.default(0),
});
type Ledger = z.infer<typeof ledger>;
type Way = 'fromPeersBytes' | 'fromOriginBytes' | 'toPeersBytes';
const WAYS = ['fromPeersBytes', 'fromOriginBytes', 'toPeersBytes'] as const;
/** A crash forgets no more of a month than this. */
const UNSAVED_BYTES = 10_000_000;

/** What the swarm's process says of itself. */
type Moved = Pick<SwarmProgress, 'files' | 'exchangedBytes'>;

/** What moved since the host was attached, this month, and since it was last reported to the coordinator. */
export class TrafficLedger {
  readonly #unreported = new Map<string, Record<Way, number>>();
  /** What the swarm's present process has said last, by file. */
  #said: ReadonlyMap<string, FileTraffic> = new Map();
  #saidExchangedBytes = 0;
  #isChanged = false;
  #unsavedBytes = 0;

  private constructor(
    private readonly file: StateFile<Ledger>,
    private readonly now: () => Date,
    private totals: Ledger,
  ) {}

  static async open(directory: string, now: () => Date = () => new Date()): Promise<TrafficLedger> {
    const file = new StateFile(join(directory, 'traffic.json'), ledger);
    const none: Ledger = {
      v: 1,
      fromPeersBytes: 0,
      fromOriginBytes: 0,
      toPeersBytes: 0,
      month: monthOf(now()),
      monthBytes: 0,
      lastSeq: 0,
    };
    return new TrafficLedger(file, now, (await file.read()) ?? none);
  }

  get current(): Omit<Ledger, 'v' | 'month' | 'lastSeq'> {
    this.#turnMonth();
    const { fromPeersBytes, fromOriginBytes, toPeersBytes, monthBytes } = this.totals;
    return { fromPeersBytes, fromOriginBytes, toPeersBytes, monthBytes };
  }

  add(manifestId: string, way: Way, moved: number): void {
    if (moved <= 0) return;
    this.totals[way] += moved;
    const traffic = this.#unreported.get(manifestId) ?? {
      fromPeersBytes: 0,
      fromOriginBytes: 0,
      toPeersBytes: 0,
    };
    traffic[way] += moved;
    this.#unreported.set(manifestId, traffic);
    this.#isChanged = true;
  }

  /** Takes what the swarm's process says has moved since it started. */
  follow({ files, exchangedBytes }: Moved): void {
    this.#turnMonth();
    const exchanged = Math.max(0, exchangedBytes - this.#saidExchangedBytes);
    this.#saidExchangedBytes += exchanged;
    this.totals.monthBytes += exchanged;
    this.#unsavedBytes += exchanged;
    if (exchanged > 0) this.#isChanged = true;
    for (const file of files) {
      const before = this.#said.get(file.manifestId);
      for (const way of WAYS) this.add(file.manifestId, way, file[way] - (before?.[way] ?? 0));
    }
    // Of which it tells no more it counts anew where it tells again.
    this.#said = new Map(files.map((file) => [file.manifestId, file]));
  }

  /** Another process begins to count from nothing. */
  forgetProcess(): void {
    this.#said = new Map();
    this.#saidExchangedBytes = 0;
  }

  /** What was not reported yet, up to one report's worth; undefined when there is nothing. */
  report(peerId: string): SwarmTrafficReport | undefined {
    const files = [...this.#unreported]
      .slice(0, SWARM_LIMITS.filesPerTrafficReport)
      .map(([manifestId, traffic]) => ({ manifestId, ...traffic }));
    if (files.length === 0) return undefined;
    // The coordinator takes only what is newer: a clock that was set back must not hide what moves until it has caught up.
    this.totals.lastSeq = Math.max(this.totals.lastSeq + 1, this.now().getTime());
    this.#isChanged = true;
    return { peerId, seq: this.totals.lastSeq, files };
  }

  /** The coordinator has taken the report. */
  reported({ files }: SwarmTrafficReport): void {
    for (const file of files) {
      const traffic = this.#unreported.get(file.manifestId);
      if (!traffic) continue;
      for (const way of WAYS) traffic[way] -= file[way];
      if (WAYS.every((way) => traffic[way] === 0)) this.#unreported.delete(file.manifestId);
    }
  }

  async save(): Promise<void> {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    this.#unsavedBytes = 0;
    await this.file.write(this.totals);
  }

  /** Saves where a crash would forget much. */
  async saveIfMuch(): Promise<void> {
    if (this.#unsavedBytes >= UNSAVED_BYTES) await this.save();
  }

  #turnMonth(): void {
    const month = monthOf(this.now());
    if (month !== this.totals.month) this.totals = { ...this.totals, month, monthBytes: 0 };
  }
}

function monthOf(date: Date): string {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}`;
}
