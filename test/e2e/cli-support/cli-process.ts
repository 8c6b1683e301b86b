import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Changes } from '../agent-support/changes.js';

const CLI = fileURLToPath(new URL('../../../apps/cli/dist/main.js', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to its end, from what `npm run build` made. */
export async function gleaner(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  return new CliProcess(args, env).ended;
}

/** The JSON on the last line of a command that succeeded. */
export async function gleanerJson<T>(args: readonly string[], env: Record<string, string> = {}): Promise<T> {
  const { code, stdout, stderr } = await gleaner([...args, '--json'], env);
  if (code !== 0) throw new Error(`gleaner ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}

/** The command as its own process. */
export class CliProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #hasClosed = false;
  readonly #changes = new Changes();
  readonly ended: Promise<CliResult>;

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    const { GLEANER_URL: _url, GLEANER_TOKEN: _token, ...inherited } = process.env;
    this.#child = spawn(process.execPath, [CLI, ...args], {
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#stdout += bytes.toString();
      this.#changes.tell();
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#stderr += bytes.toString();
      this.#changes.tell();
    });
    this.ended = once(this.#child, 'close').then(([code]: unknown[]) => {
      this.#hasClosed = true;
      this.#changes.tell();
      return { code: typeof code === 'number' ? code : null, stdout: this.#stdout, stderr: this.#stderr };
    });
  }

  /** What it has written to stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it has written, once it contains the text. Throws when the command ends before. */
  async said(text: string): Promise<string> {
    while (!(this.#stdout + this.#stderr).includes(text)) {
      // What it has said may still be on its way when the process is gone.
      if (this.#hasClosed) throw new Error(`ended without saying "${text}": ${this.#stderr}`);
      await this.#changes.next();
    }
    return this.#stdout;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended;
  }
}
