import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Probe } from './probe.js';

/** A line older than this says nothing about now. */
const FRESH_MS = 10_000;
const RESTART_AFTER_MS = 60_000;

export interface LineProcessInit<T> {
  readonly program: string;
  readonly args: readonly string[];
  readonly parse: (line: string) => T | null;
}

/** A probe whose readings are the lines that one long-running program prints; started anew when it has ended. */
export class LineProcess<T> implements Probe<T> {
  #child: ChildProcess | null = null;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #latest: { readonly value: T; readonly atMs: number } | null = null;
  #isClosed = false;

  constructor(private readonly init: LineProcessInit<T>) {}

  read(): T | null {
    const nowMs = performance.now();
    if (!this.#child && !this.#isClosed && nowMs - this.#startedAtMs > RESTART_AFTER_MS) this.#start(nowMs);
    return this.#latest && nowMs - this.#latest.atMs < FRESH_MS ? this.#latest.value : null;
  }

  close(): void {
    this.#isClosed = true;
    // A child that could not be spawned has no process: killing it would reach this process's own group.
    if (this.#child?.pid !== undefined) this.#child.kill();
  }

  #start(nowMs: number): void {
    this.#startedAtMs = nowMs;
    const child = spawn(this.init.program, [...this.init.args], {
      stdio: ['ignore', 'pipe', 'ignore'],
      windowsHide: true,
    });
    this.#child = child;
    child.on('error', () => (this.#child = null));
    child.on('exit', () => (this.#child = null));
    child.unref();
    createInterface({ input: child.stdout }).on('line', (line) => {
      const value = this.init.parse(line);
      if (value !== null) this.#latest = { value, atMs: performance.now() };
    });
  }
}
