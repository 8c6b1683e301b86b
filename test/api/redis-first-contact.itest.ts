import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { BackendAgreement, ConfigError, createLogger } from '@gleaner/coordinator';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  createTestApplication,
  createTestDatabase,
  freePort,
  startRedis,
  type TestDatabase,
  testRedisUrl,
} from '../support/index.js';

const execute = promisify(execFile);
const OURS = { namespace: 'first-contact', role: 'all' } as const;

describe.skipIf(testRedisUrl() === null)('a Redis that a coordinator meets at its start', () => {
  let database: TestDatabase;
  let directory: string;
  let agreement: BackendAgreement;
  const closing: Array<() => unknown> = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    directory = await mkdtemp(join(tmpdir(), 'gleaner-redis-'));
    agreement = await BackendAgreement.join(database.url, 'redis');
  });
  afterAll(async () => {
    await agreement.leave();
    for (const close of closing.toReversed()) await close();
    await rm(directory, { recursive: true, force: true });
    await database.drop();
  });

  async function anotherDatabase(): Promise<TestDatabase> {
    const another = await createTestDatabase();
    closing.push(() => another.drop());
    return another;
  }

  async function aRedis(...settings: readonly string[]): Promise<URL> {
    const started = await startRedis(join(directory, String(closing.length)), settings);
    if (!started) throw new Error('Redis was there a moment ago');
    closing.push(() => started.stop());
    return new URL(started.url);
  }

  /** The address of a server that does this with whoever connects. */
  const aServer = (meet: (socket: Socket) => void): Promise<URL> =>
    listening(createServer((socket) => meet(socket.on('error', () => undefined))));

  async function listening(server: Server): Promise<URL> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    closing.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
    return new URL(`redis://127.0.0.1:${address.port}`);
  }

  const changed = (url: URL, change: (url: URL) => void): URL => {
    change(url);
    return url;
  };

  async function withUser(rights: readonly string[]): Promise<URL> {
    const url = await aRedis();
    const redis = new Redis(url.href);
    await redis.acl('SETUSER', 'ada', 'on', '>secret', ...rights);
    redis.disconnect();
    url.username = 'ada';
    url.password = 'secret';
    return url;
  }

  /** One that says something else of itself: there is no package of old versions, and a cluster of several takes its time. */
  async function saying(said: RegExp, instead: string, ...settings: readonly string[]): Promise<URL> {
    const { port } = await aRedis(...settings);
    return await aServer((here) => {
      const there = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      here.pipe(there).on('data', (chunk) => {
        const told = chunk.toString('latin1').replace(said, (is) => instead.padEnd(is.length));
        here.write(told, 'latin1');
      });
    });
  }

  /** Ports of members that are 10,000 above their own are not always there. */
  const asCluster = async (): Promise<string[]> => [
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    String(await freePort()),
  ];

  async function withCertificate(): Promise<URL> {
    const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const files = ['-keyout', keyFile, '-out', certFile];
    await execute('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=redis',
      ...files,
    ]);
    const [key, cert] = [await readFile(keyFile), await readFile(certFile)];
    return changed(await listening(createTlsServer({ key, cert })), (url) => (url.protocol = 'rediss:'));
  }

  it.each<[string, () => Promise<URL>, RegExp]>([
    [
      'asks for a password',
      () => aRedis('--requirepass', 'secret'),
      /asks for a password, and none is given/,
    ],
    [
      'does not accept the password',
      async () => changed(await aRedis('--requirepass', 'secret'), (url) => (url.password = 'wrong')),
      /does not accept this user or password/,
    ],
    [
      'lets its user run no scripts',
      () => withUser(['~*', '&*', '+@all', '-@scripting']),
      /its user may not do all that is needed.*eval/,
    ],
    [
      'does not tell its version',
      () => withUser(['~*', '&*', '+@all', '-@dangerous']),
      /its user may not do all that is needed.*info/,
    ],
    [
      'keeps the keys from its user',
      () => withUser(['~theirs:*', '&*', '+@all']),
      /its user may not do all that is needed.*keys/,
    ],
    [
      'has its commands switched off',
      () => aRedis('--rename-command', 'EVAL', ''),
      /switched off there.*eval/,
    ],
    [
      'has no such database',
      async () => changed(await aRedis(), (url) => (url.pathname = '/99')),
      /no database/,
    ],
    [
      'is part of a cluster',
      async () => await saying(/(?<=cluster_size:)1/, '3', ...(await asCluster())),
      /part of a cluster/,
    ],
    [
      'is too old',
      () => saying(/(?<=redis_version:)[\d.]+/, '4.0.9'),
      /its version is 4\.0\.9, and 5 or newer is needed/,
    ],
    ['has a certificate that nobody vouches for', withCertificate, /vouches for its .*NODE_EXTRA_CA_CERTS/],
  ])('and that %s ends the start with what the operator has to look at', async (_, address, reason) => {
    const url = (await address()).href;
    const waitedFor: string[] = [];
    const agreed = agreement.agreeOnRedis({ url, ...OURS }, (trouble) => waitedFor.push(trouble));
    const error: unknown = await agreed.catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatch(/REDIS_URL: /);
    expect(String(error)).toMatch(reason);
    expect(waitedFor).toEqual([]);
  });

  it.each<[string, () => Promise<URL>, RegExp]>([
    ['is not there', () => Promise.resolve(new URL('redis://127.0.0.1:1')), /ECONNREFUSED/],
    ['says nothing', () => aServer(() => undefined), /^it has not answered for 5 s/],
    [
      'hangs up',
      () => aServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
      /maxclients/,
    ],
    [
      'is none',
      () => aServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))),
      /^something else than Redis answers there$/,
    ],
  ])(
    'and that %s is waited for with a reason until the coordinator is stopped',
    async (_, address, reason) => {
      const stopped = new AbortController();
      const url = (await address()).href;
      const told = await new Promise((tell) => {
        const agreed = agreement.agreeOnRedis({ url, ...OURS }, tell, stopped.signal);
        closing.push(() => expect(agreed).rejects.toBe(stopped.signal.reason));
        agreed.catch(() => undefined);
      });
      stopped.abort();
      expect(told).toMatch(reason);
      await closing.pop()?.();
    },
  );

  it('and that is a cluster by itself will do', async () => {
    const url = (await aRedis(...(await asCluster()))).href;
    const redis = new Redis(url);
    closing.push(() => redis.disconnect());
    await redis.cluster('ADDSLOTSRANGE', 0, 16_383);
    await expect.poll(() => redis.cluster('INFO')).toContain('cluster_state:ok');
    const agreeing = await BackendAgreement.join((await anotherDatabase()).url, 'redis');
    closing.push(() => agreeing.leave());
    await agreeing.agreeOnRedis({ url, ...OURS }, () => undefined);
    expect(await redis.get('first-contact:mark')).toMatch(/^\d+$/);
  });

  it('and that has too few connections left is waited for until it has as many as a coordinator opens', async () => {
    const url = (await aRedis('--maxclients', '19')).href;
    const asking = new Redis(url);
    const other = new Redis(url);
    closing.push(
      () => asking.disconnect(),
      () => other.disconnect(),
    );
    await Promise.all([asking.ping(), other.ping()]);
    const logger = createLogger('silent');
    const waited = new Promise((resolve) => {
      vi.spyOn(logger, 'warn').mockImplementation((line: unknown) => {
        const { data } = z.object({ event: z.literal('redis-away'), trouble: z.string() }).safeParse(line);
        if (data) resolve(data.trouble);
      });
    });
    const starting = createTestApplication({ env: { REDIS_URL: url }, logger });
    expect(await waited).toBe(
      'it takes 19 connections (maxclients), others have 2, and this coordinator needs 18',
    );
    other.disconnect();
    const gleaner = await starting;
    closing.push(() => gleaner.close());
    await expect.poll(() => asking.info('clients')).toContain('connected_clients:19\r');
    expect(await asking.info('stats')).toContain('rejected_connections:0\r');
  });
});
