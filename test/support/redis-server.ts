import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '@gleaner/coordinator';
import { skipLoudly } from './skip-loudly.js';

const execute = promisify(execFile);
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 30;

export interface RedisServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts `redis-server` from PATH, installing it where that is possible. null, loudly, where there is none; in CI that fails. */
export async function startRedis(
  directory: string,
  settings: readonly string[] = [],
): Promise<RedisServer | null> {
  if (!(await hasRedis())) {
    await installRedis();
    if (!(await hasRedis())) {
      skipLoudly(
        'the Redis suites',
        'redis-server is not in PATH: install it (Debian: apt-get install redis-server).',
      );
      return null;
    }
  }
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'no',
    ...settings,
  ];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const until = Date.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || Date.now() > until) throw new Error('redis-server did not start');
    await delay(POLL_MS);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function hasRedis(): Promise<boolean> {
  return await execute('redis-server', ['--version']).then(
    () => true,
    () => false,
  );
}

async function installRedis(): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  process.stderr.write('installing redis-server with apt-get …\n');
  try {
    await execute('apt-get', ['update', '-q'], { env });
    // Without a policy the package would start a daemon of its own.
    await execute('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'redis-server'], {
      env: { ...env, RUNLEVEL: '1' },
    });
  } catch (error) {
    process.stderr.write(`apt-get could not install redis-server: ${String(error)}\n`);
  }
}

async function accepts(port: number): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
