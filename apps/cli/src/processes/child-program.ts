import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { CliError } from '../cli-error.js';

export interface ChildProgramInit {
  /** What messages call it. */
  readonly label: string;
  /** Its main module. */
  readonly main: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onStdoutLine?: (line: string) => void;
  readonly onStderrLine?: (line: string) => void;
}

/** Lines of stderr that are kept to explain a failure. */
const KEPT_LINES = 20;

/**
 * A program of ours as a child process. It has an IPC channel for one purpose: the channel closes when this process
 * ends, however it ends, and the child then ends by itself.
 */
export class ChildProgram {
  readonly #child: ChildProcess;
  readonly #lastLines: string[] = [];
  readonly #exited: Promise<number>;
  #isStopping = false;

  constructor(private readonly init: ChildProgramInit) {
    this.#child = spawn(process.execPath, [init.main, ...init.args], {
      env: { ...process.env, ...init.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C in the terminal reaches this process alone, which then stops its children in order.
      detached: true,
    });
    this.#exited = once(this.#child, 'exit').then(([code]: unknown[]) =>
      typeof code === 'number' ? code : 1,
    );
    // The failure to spawn arrives as an event; the exit promise then rejects, and `exited` tells.
    this.#exited.catch(() => undefined);
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => init.onStdoutLine?.(line));
    }
    if (this.#child.stderr) {
      createInterface({ input: this.#child.stderr }).on('line', (line) => {
        this.#lastLines.push(line);
        if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
        init.onStderrLine?.(line);
      });
    }
  }

  /** The end of its stderr, to explain a failure. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Whether it was ended where it stood, without a chance to stop what it had started. */
  get wasKilled(): boolean {
    return this.#child.signalCode !== null;
  }

  /** Its exit code, once it has ended. */
  get exited(): Promise<number> {
    return this.#exited;
  }

  /** Rejects when the program ends although nobody stopped it; never resolves otherwise. */
  async failed(): Promise<never> {
    const code = await this.#exited;
    if (this.#isStopping) return new Promise(() => undefined);
    throw new CliError(
      [
        `${this.init.label} ended unexpectedly (${this.#child.signalCode ?? `exit code ${code}`})`,
        // Who gets every line has seen them.
        ...(this.init.onStderrLine ? [] : this.#lastLines),
      ].join('\n'),
    );
  }

  /** Asks it to end, and makes it after `graceMs`. Stopping twice is safe. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    if (!this.isRunning) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#exited.catch(() => undefined);
    clearTimeout(timer);
  }
}
