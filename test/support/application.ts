import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createLogger,
  readConfig,
  startCoordinator,
  type Config,
  type Coordinator,
  type Logger,
} from '@gleaner/coordinator';
import supertest from 'supertest';
import { DataSource } from 'typeorm';

import { createTestDatabase } from './database.js';
import { forgetEverything, testRedisUrl } from './test-redis.js';

export interface TestApplication {
  readonly coordinator: Coordinator;
  readonly app: Coordinator['app'];
  readonly dataSource: DataSource;
  readonly config: Config;
  readonly url: string;
  /** The secret of the operator's first token, with all scopes. */
  readonly operatorToken: string;
  /** Supertest on the listening server. */
  readonly http: ReturnType<typeof supertest>;
  close(): Promise<void>;
}

export interface TestApplicationOptions {
  /** Settings as environment variables, such as `{ GLEANER_MIN_FREE_BYTES: '1' }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Queues on Redis rather than on Postgres. */
  readonly redis?: boolean;
  /** Shares the database of another application: a second coordinator. */
  readonly databaseUrl?: string;
  readonly dataDir?: string;
  /** Where it logs; to stderr, what `GLEANER_TEST_LOG` asks for, unless given. */
  readonly logger?: Logger;
}

/** A whole coordinator on a free port with a database of its own, as `main.ts` starts it. */
export async function createTestApplication(options: TestApplicationOptions = {}): Promise<TestApplication> {
  const database = options.databaseUrl === undefined ? await createTestDatabase() : null;
  const directory = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'gleaner-app-')));
  const forget = async (): Promise<void> => {
    await database?.drop();
    if (options.dataDir === undefined) await rm(directory, { recursive: true, force: true });
  };
  try {
    return await start(options, { databaseUrl: options.databaseUrl ?? database?.url, directory, forget });
  } catch (error) {
    await forget();
    throw error;
  }
}

interface Places {
  readonly databaseUrl: string | undefined;
  readonly directory: string;
  /** Drops and removes what was made for this application alone. */
  readonly forget: () => Promise<void>;
}

async function start(
  options: TestApplicationOptions,
  { databaseUrl, directory, forget }: Places,
): Promise<TestApplication> {
  const redisUrl = options.redis ? testRedisUrl() : null;
  if (options.redis && redisUrl === null)
    throw new Error('this suite needs Redis: skip it where redisUrl is null');
  // Queues of an earlier suite name units of a database that is gone, and may still be locked by its coordinator.
  if (redisUrl !== null && options.databaseUrl === undefined) await forgetEverything(redisUrl);
  const operatorToken = `gln_${randomBytes(32).toString('base64url')}`;
  const config = readConfig({
    GLEANER_PORT: '0',
    GLEANER_HOST: '127.0.0.1',
    GLEANER_DATA: directory,
    GLEANER_LOG_LEVEL: process.env['GLEANER_TEST_LOG'] ?? 'fatal',
    GLEANER_OPERATOR_TOKEN: operatorToken,
    GLEANER_DATABASE_CONNECTIONS: '8',
    DATABASE_URL: databaseUrl,
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    ...options.env,
  });
  const coordinator = await startCoordinator(config, options.logger ?? createLogger(config.logLevel));
  return {
    coordinator,
    app: coordinator.app,
    dataSource: coordinator.app.get(DataSource),
    config,
    url: coordinator.url,
    operatorToken: config.operatorToken ?? operatorToken,
    http: supertest(coordinator.url),
    close: async () => {
      await coordinator.stop();
      await forget();
    },
  };
}
