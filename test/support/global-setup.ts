import { rmSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres, openDataSource } from '@gleaner/coordinator';
import type { TestProject } from 'vitest/node';
import { goToPartitionBorder } from './partition-border.js';
import { startRedis } from './redis-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of a migrated, empty database that nobody is connected to: the template of all others. */
    templateDatabaseUrl: string;
    /** null where there is no Redis; only the Redis suites are skipped then. */
    redisUrl: string | null;
  }
}

/** Few enough for small jobs to have units on both sides. */
const UNITS_BEFORE_BORDER = 3;

/** Several suites run side by side, each with several coordinators whose queues are here as well. */
const CONNECTIONS_OF_ALL_SUITES = '500';

/** One Postgres and one Redis for the whole run. What the tests write need not survive a power cut. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-test-'));
  // However the run ends.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  // As root Postgres runs as another user, who has to pass through here.
  await chmod(directory, 0o711);
  const postgres = await EmbeddedPostgres.start({
    directory: join(directory, 'postgres'),
    settings: {
      fsync: 'off',
      full_page_writes: 'off',
      max_connections: CONNECTIONS_OF_ALL_SUITES,
    },
  });
  const redis = await startRedis(join(directory, 'redis'));
  const template = await openDataSource({ url: postgres.url, connections: 2 });
  await goToPartitionBorder(template, UNITS_BEFORE_BORDER);
  await template.destroy();
  project.provide('templateDatabaseUrl', postgres.url);
  project.provide('redisUrl', redis?.url ?? null);
  return async () => {
    await redis?.stop();
    await postgres.stop();
  };
}
