import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgres, notePlace, noteTakeover, openDataSource } from '@gleaner/coordinator';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runOn } from '../support/index.js';

const FAST = { fsync: 'off', shared_buffers: '32MB' };

let directory: string;
const servers: EmbeddedPostgres[] = [];
const opened: DataSource[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-replica-'));
  await chmod(directory, 0o711);
});
afterAll(async () => {
  for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy();
  for (const server of servers) await server.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(name: string, settings: Readonly<Record<string, string>> = {}) {
  const server = await EmbeddedPostgres.start({
    directory: join(directory, name),
    settings: { ...FAST, ...settings },
  });
  servers.push(server);
  return server;
}

async function open({ url }: EmbeddedPostgres): Promise<DataSource> {
  const dataSource = await openDataSource({ url, connections: 2 });
  opened.push(dataSource);
  return dataSource;
}

/** A server that follows the one whose files are in `primary`. */
async function startReplica(primary: string, { url }: EmbeddedPostgres, name: string) {
  const { hostname: host, port, username: user, password } = new URL(url);
  await promisify(execFile)('cp', ['-a', join(directory, primary), join(directory, name)]);
  const cluster = join(directory, name, 'cluster');
  const signal = join(cluster, 'standby.signal');
  await writeFile(signal, '');
  const { uid, gid } = await stat(cluster);
  await chown(signal, uid, gid);
  return await start(name, {
    primary_conninfo: `host=${host} port=${port} user=${user} password=${password}`,
  });
}

it('a replica that took over is recognised at once, also by whoever ran all the time', async () => {
  const first = await start('primary');
  const before = await open(first);
  expect(await notePlace(before, null)).toBe(false);
  await before.destroy();
  await first.stop();
  const primary = await start('primary');
  const replica = await startReplica('primary', primary, 'replica');
  // What is to be written to its disk keeps the replica's next checkpoint busy for minutes.
  await runOn(primary.url, 'CREATE TABLE much AS SELECT generate_series(1, 200000) AS n');
  const hasFollowed = () => runOn(replica.url, 'SELECT FROM much').then(() => true, String);
  await expect.poll(hasFollowed).toBe(true);
  await runOn(replica.url, 'SELECT pg_promote()');
  const after = await open(replica);
  expect(await noteTakeover(after)).toBe(true);
  expect(await noteTakeover(after)).toBe(false);
  expect(await notePlace(after, null)).toBe(false);
});
