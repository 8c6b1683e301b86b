import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EmbeddedPostgres } from '@gleaner/coordinator';
import type { ResultReport, TaskAssignment } from '@gleaner/protocol';
import { freePort, honestResult, type TestHost } from '../support/index.js';

const MAIN = fileURLToPath(new URL('../../apps/coordinator/dist/main.js', import.meta.url));
const START_TIMEOUT_MS = 100_000;
const RETRY_MS = 200;

/** A server process that can be killed at any moment and started anew on the same port. */
export interface Victim {
  kill(): Promise<void>;
  start(): Promise<void>;
  /** In order. */
  stop(): Promise<void>;
}

export class Redis implements Victim {
  private child: ChildProcess | null = null;
  /** Whether it has its queues again after a crash. */
  remembers = true;

  private constructor(
    readonly port: number,
    private readonly directory: string,
  ) {}

  static async create(directory: string): Promise<Redis> {
    await mkdir(directory, { recursive: true });
    return new Redis(await freePort(), directory);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const persistence = this.remembers
      ? ['--appendonly', 'yes', '--appendfsync', 'always']
      : ['--appendonly', 'no'];
    this.child = spawn(
      'redis-server',
      [
        '--port',
        String(this.port),
        '--bind',
        '127.0.0.1',
        '--dir',
        this.directory,
        '--save',
        '',
        ...persistence,
      ],
      { stdio: 'ignore' },
    );
    await untilAccepting(this.port);
  }

  kill(): Promise<void> {
    return end(this.child, 'SIGKILL');
  }

  stop(): Promise<void> {
    return end(this.child, 'SIGTERM');
  }
}

export class Postgres implements Victim {
  private server: EmbeddedPostgres | null = null;

  private constructor(
    private readonly directory: string,
    private readonly port: number,
  ) {}

  static async create(directory: string): Promise<Postgres> {
    return new Postgres(directory, await freePort());
  }

  get url(): string {
    if (!this.server) throw new Error('Postgres was not started');
    return this.server.url;
  }

  /** Until the killed server's children are gone, its successor refuses to start. */
  async start(): Promise<void> {
    const until = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        this.server = await EmbeddedPostgres.start({ directory: this.directory, port: this.port });
        return;
      } catch (error) {
        if (Date.now() > until) throw error;
        await delay(RETRY_MS);
      }
    }
  }

  async kill(): Promise<void> {
    if (!this.server) return;
    process.kill(this.server.pid, 'SIGKILL');
    await delay(RETRY_MS);
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }
}

export class CoordinatorProcess implements Victim {
  private child: ChildProcess | null = null;

  constructor(
    readonly port: number,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.child = spawn(process.execPath, [MAIN, '--json'], {
      cwd: dirname(MAIN),
      env: { ...process.env, ...this.env, GLEANER_PORT: String(this.port), GLEANER_HOST: '127.0.0.1' },
      stdio: ['ignore', 'ignore', process.env['GLEANER_TEST_LOG'] === undefined ? 'ignore' : 'inherit'],
    });
    await untilAccepting(this.port);
  }

  kill(): Promise<void> {
    return end(this.child, 'SIGKILL');
  }

  stop(): Promise<void> {
    return end(this.child, 'SIGTERM');
  }
}

/** A directory that the system user of Postgres can pass through. */
export async function chaosDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'gleaner-chaos-'));
  await chmod(path, 0o711);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Works until told to stop, whatever fails: results are kept until the coordinator has answered for them, as agents do.
 * It moves to the other coordinator when one does not answer.
 */
export class Persistent {
  private readonly unacknowledged = new Map<string, ResultReport>();
  private stopped = false;
  readonly errors: string[] = [];

  constructor(
    private readonly host: TestHost,
    private readonly urls: readonly string[],
    private readonly maxTasks: number,
  ) {}

  stop(): void {
    this.stopped = true;
  }

  async run(): Promise<void> {
    for (let turn = 0; !this.stopped; turn += 1) {
      this.host.url = this.urls[turn % this.urls.length] ?? this.host.url;
      try {
        const got = await this.callOnce();
        if (got === 0) await delay(RETRY_MS);
      } catch (error) {
        this.errors.push(String(error));
        await delay(RETRY_MS);
      }
    }
  }

  private async callOnce(): Promise<number> {
    const reports = [...this.unacknowledged.values()];
    const answer = await this.host.work({
      reports,
      holding: [...this.unacknowledged.keys()],
      request: { maxTasks: this.maxTasks, memoryMiB: 1024, cores: 4 },
    });
    for (const { taskId, status, reason } of answer.reports) {
      if (status === 'retry') continue;
      if (status === 'refused') this.errors.push(`${taskId} was refused: ${reason ?? ''}`);
      this.unacknowledged.delete(taskId);
    }
    for (const task of answer.tasks) this.compute(task);
    return answer.tasks.length;
  }

  private compute(task: TaskAssignment): void {
    this.unacknowledged.set(task.taskId, honestResult(task));
  }
}

async function end(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

async function untilAccepting(port: number): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (Date.now() > until) throw new Error(`nothing listens on port ${port}`);
    await delay(50);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
