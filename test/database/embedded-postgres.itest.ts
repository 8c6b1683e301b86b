import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '@gleaner/coordinator';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SETTINGS = { fsync: 'off' };

let directory: string;
const servers: EmbeddedPostgres[] = [];
const others: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-pg-'));
  await chmod(directory, 0o711);
});
afterEach(async () => {
  for (const child of others.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) await server.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await EmbeddedPostgres.start({
    directory: join(directory, 'postgres'),
    settings: SETTINGS,
  });
  servers.push(server);
  return server;
}

async function ask(server: EmbeddedPostgres, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the embedded Postgres', () => {
  it('sorts names alike on every machine, keeps its data, and leaves no process', async () => {
    const first = await start();
    const [settings] = await ask(
      first,
      `SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) AS encoding FROM pg_database
        WHERE datname = current_database()`,
    );
    expect(settings).toEqual({ datlocprovider: 'b', datlocale: 'C.UTF-8', encoding: 'UTF8' });
    await ask(first, "CREATE TABLE kept AS SELECT 'here' AS it");
    await first.stop();
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(await ask(second, 'SELECT it FROM kept')).toEqual([{ it: 'here' }]);
  });

  it('that outlived a killed coordinator is taken over and stopped by the next one', async () => {
    const first = await start();
    const dead = spawn(process.execPath, ['--eval', '']);
    await new Promise((resolve) => dead.once('exit', resolve));
    await writeLock({ pid: dead.pid, started: 'once' });
    const second = await start();
    expect(second.pid).toBe(first.pid);
    await second.stop();
    expect(isAlive(first.pid)).toBe(false);
  });

  it('that ends by itself is started again where it was, until it is stopped', async () => {
    const server = await start();
    server.keepRunning({ directory: join(directory, 'postgres'), settings: SETTINGS }, () => undefined);
    await ask(server, 'CREATE TABLE kept (n integer)');
    const ended = server.pid;
    process.kill(ended, 'SIGKILL');
    const answer = () => ask(server, 'SELECT count(*)::integer AS n FROM kept').catch(String);
    await expect.poll(async () => (server.pid === ended ? null : await answer())).toEqual([{ n: 0 }]);
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  it('of a living coordinator is left alone, and who has it is told', async () => {
    const first = await start();
    const owner = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
    others.push(owner);
    await writeLock({ pid: owner.pid, started: null });
    await expect(start()).rejects.toThrow(
      `is in use by another coordinator (process ${owner.pid}, since yesterday). Stop that one first`,
    );
    expect(await ask(first, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('starts, and ends nobody, where another program has the process id of a server that crashed with its machine', async () => {
    const first = await start();
    await first.stop();
    const cluster = join(directory, 'postgres', 'cluster');
    // Of the server's own user: Postgres itself would not start then.
    const { uid, gid } = await stat(cluster);
    // By its path: that user may not look into every folder of PATH.
    const stranger = spawn('/bin/sleep', ['1000'], { uid, gid, cwd: '/' });
    others.push(stranger);
    await writeFile(join(cluster, 'postmaster.pid'), `${stranger.pid}\n${cluster}\n0\n5432\n`);
    await EmbeddedPostgres.stopAbandoned(join(directory, 'postgres'));
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
    expect(await ask(await start(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'tells of a copy that was made without its owner what to do',
    async () => {
      await (await start()).stop();
      const cluster = join(directory, 'postgres', 'cluster');
      // As cp -r does.
      execFileSync('chown', ['-R', '0:0', cluster]);
      await expect(start()).rejects.toThrow(
        `${cluster} belongs to user 0, and Postgres runs as "postgres": chown -R postgres: ${cluster}`,
      );
      execFileSync('chown', ['-R', 'postgres:', cluster]);
      expect(isAlive((await start()).pid)).toBe(true);
    },
  );

  it('is not held back by a lock whose holder is gone, although its process id is in use again', async () => {
    const owner = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
    others.push(owner);
    await mkdir(join(directory, 'postgres'), { mode: 0o711 });
    await writeLock({ pid: owner.pid, started: 'another time' });
    const server = await start();
    expect(await ask(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await server.stop();
    expect(await readdir(join(directory, 'postgres'))).not.toContain('owner.lock');
  });
});

async function writeLock(about: { pid: number | undefined; started: string | null }): Promise<void> {
  const lock = { host: 'here', since: 'yesterday', ...about };
  await writeFile(join(directory, 'postgres', 'owner.lock'), JSON.stringify(lock));
}
