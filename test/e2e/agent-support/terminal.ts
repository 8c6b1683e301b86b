import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { skipLoudly } from '../../support/skip-loudly.js';
import { Changes } from './changes.js';
import { LONGEST_WAIT_MS } from './running-agent.js';

/** Whether a program can be given a terminal here. */
export function hasTerminal(): boolean {
  if (process.platform === 'linux' && spawnSync('script', ['--version']).status === 0) return true;
  skipLoudly('what is shown at a terminal', 'no script of util-linux; install it (Debian: bsdutils).');
  return false;
}

/** Home, and clear the screen: what comes after it is all that is seen. */
const CLEAR = '\u001B[H\u001B[2J';

/** A program at a terminal of its own; `script` of util-linux is one. */
export class Terminal implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #changes = new Changes();
  #said = '';
  #hasClosed = false;
  /** Resolves with the program's exit code; 128 and more where a signal ended it. */
  readonly ended: Promise<number | null>;

  constructor(command: readonly string[], columns: number) {
    const shown = `stty cols ${columns}; exec ${command.map(shellWord).join(' ')}`;
    this.#child = spawn('script', ['-qec', shown, '/dev/null'], { stdio: 'pipe' });
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#said += bytes.toString();
      this.#changes.tell();
    });
    this.ended = once(this.#child, 'close').then(([code]: unknown[]) => {
      this.#hasClosed = true;
      this.#changes.tell();
      return typeof code === 'number' ? code : null;
    });
  }

  /** Everything that it has said. */
  get said(): string {
    return this.#said;
  }

  /** Lines on the screen. */
  get screen(): string[] {
    return (this.#said.split(CLEAR).at(-1) ?? '').trimEnd().split(/\r?\n/);
  }

  /** Resolves when the screen shows such a line. Throws with what it shows when the program ends before, or is not so far. */
  async shows(line: RegExp): Promise<void> {
    const late = AbortSignal.timeout(LONGEST_WAIT_MS);
    late.addEventListener('abort', () => this.#changes.tell());
    while (!this.screen.some((shown) => line.test(shown))) {
      const problem = late.aborted ? 'too late for' : this.#hasClosed ? 'ended without' : null;
      if (problem !== null) throw new Error(`${problem} ${line}: ${this.screen.join('\n')}`);
      await this.#changes.next();
    }
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The program loses its terminal, which ends it.
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/** What a shell reads as this one word. */
function shellWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
