import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { Changes } from './changes.js';

// From the sources in tests, from test/dist in benchmarks.
const toRoot = import.meta.url.endsWith('.ts') ? '../../..' : '../../../..';
/** What `npm run build` made of it. */
export const AGENT = fileURLToPath(new URL(`${toRoot}/apps/agent/dist/main.js`, import.meta.url));

/** The command that starts it. */
export const BUILT_AGENT: readonly string[] = [process.execPath, AGENT];

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of the agent to its end. */
export async function runAgent(
  args: readonly string[],
  env: Record<string, string> = {},
  command: readonly string[] = BUILT_AGENT,
): Promise<Ended> {
  return new AgentProcess(args, env, command).ended;
}

/** The agent as its own process, from what `npm run build` made where no other command is given. */
export class AgentProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #events: Array<{ readonly event: string; readonly atMs: number }> = [];
  #stdout = '';
  #stderr = '';
  #hasClosed = false;
  readonly #changes = new Changes();
  readonly ended: Promise<Ended>;

  constructor(
    args: readonly string[],
    env: Record<string, string> = {},
    command: readonly string[] = BUILT_AGENT,
  ) {
    const [program = '', ...first] = command;
    this.#child = spawn(program, [...first, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (!this.#child.stdout || !this.#child.stderr) throw new Error('no pipes');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#stdout += `${line}\n`;
      this.#remember(line);
      this.#changes.tell();
    });
    this.#child.stderr.on('data', (bytes: Buffer) => (this.#stderr += bytes.toString()));
    this.ended = once(this.#child, 'close').then(([code]: unknown[]) => {
      this.#hasClosed = true;
      this.#changes.tell();
      return { code: typeof code === 'number' ? code : null, stdout: this.#stdout, stderr: this.#stderr };
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when the agent, run with `--json`, has logged such an event. Throws when it ends before. */
  async logged(event: string): Promise<void> {
    while (!this.#events.some((entry) => entry.event === event)) {
      // What it has said may still be on its way when the process is gone.
      if (this.#hasClosed) throw new Error(`ended without "${event}": ${this.#stderr}`);
      await this.#changes.next();
    }
  }

  /** When it has logged such an event last, by its own clock; NaN where it never has. */
  lastAtMs(event: string): number {
    return this.#events.findLast((entry) => entry.event === event)?.atMs ?? Number.NaN;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #remember(line: string): void {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null && 'event' in value) {
        const atMs = 'at' in value ? Date.parse(String(value.at)) : Number.NaN;
        this.#events.push({ event: String(value.event), atMs });
      }
    } catch {
      // Not every line is an event.
    }
  }
}
