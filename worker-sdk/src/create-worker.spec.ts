import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorker as createTabWorker } from './browser/index.js';
import { createWorker as createNodeWorker } from './create-worker.js';
import { LoopbackServer } from './loopback-server.fixture.js';
import type { VolunteerWorker } from './volunteer-worker.js';

interface Asked {
  readonly request?: { readonly cores: number; readonly memoryMiB: number };
  readonly leaving?: boolean;
}

let directory: string;
let server: LoopbackServer;
let coordinator: string;
/** What hosts have said, in order. */
let asked: Asked[];
let tokens: Set<string | undefined>;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-create-'));
  asked = [];
  tokens = new Set();
  server = await LoopbackServer.open((request, response) => {
    tokens.add(request.headers.authorization);
    void json(request).then((body) => {
      asked.push(body as Asked);
      const answer =
        request.url === '/v1/heartbeat'
          ? { tasks: [], outputsWanted: [], nextMs: 60_000 }
          : {
              reports: [],
              jobs: [],
              tasks: [],
              noWork: NO_JOBS,
              outputsWanted: [],
              retryAfterMs: 60_000,
              heartbeatMs: 60_000,
            };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  coordinator = server.url.origin;
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const NO_JOBS = [{ code: 'no-jobs', count: null, message: 'no jobs today' }];
const policy = { cores: 2, memoryMiB: 100 };

interface Options {
  readonly coordinator: string;
  readonly credentials: { readonly token: string };
  readonly policy: typeof policy;
}

describe.each<[where: string, create: (options: Options) => VolunteerWorker]>([
  ['Node', (options) => createNodeWorker({ ...options, dataDirectory: directory })],
  ['a browser', (options) => createTabWorker(options)],
])('createWorker({ coordinator, credentials, policy }) in %s', (_where, create) => {
  const credentials = { token: 'gln_host' };

  it('starts, asks for what the policy offers, tells why it waits, and stops', async () => {
    const worker = create({ coordinator, credentials, policy });
    const stopped = new Promise<Error | null>((resolve) => {
      worker.on('stopped', ({ error }) => resolve(error));
    });
    expect(worker.status()).toMatchObject({ phase: 'starting', running: [], isFinishing: false });
    expect(asked).toEqual([]);
    await worker.start();
    await expect.poll(() => worker.status().reason).toBe('waiting: no jobs today');
    expect(asked[0]?.request).toMatchObject({ cores: 2, memoryMiB: 100 });
    expect([...tokens]).toEqual(['Bearer gln_host']);
    await worker.stop();
    expect(await stopped).toBeNull();
    expect(worker.status().phase).toBe('stopped');
    expect(asked.at(-1)?.leaving).toBe(true);
  });

  it('does what it was told before it was started', async () => {
    const worker = create({ coordinator, credentials, policy });
    const unheard: unknown[] = [];
    worker.on('status', (status) => unheard.push(status))();
    worker.allow({ cores: 0, dutyCycle: 1, memoryMiB: null, reason: 'paused: not now' });
    worker.setSwarm(null);
    expect(worker.status().allowance.reason).toBe('paused: not now');
    await worker.start();
    expect(worker.status()).toMatchObject({ phase: 'paused', reason: 'paused: not now' });
    expect(unheard).toEqual([]);
    await worker.stop();
  });

  it('finishes at once where it holds nothing', async () => {
    const worker = create({ coordinator, credentials, policy });
    const stopped = new Promise((resolve) => worker.on('stopped', resolve));
    worker.finish();
    expect(worker.status().isFinishing).toBe(true);
    await worker.start();
    await stopped;
  });

  it('never starts after a stop', async () => {
    const worker = create({ coordinator, credentials, policy });
    await worker.stop();
    await worker.start();
    expect(worker.status()).toMatchObject({ phase: 'stopped', reason: 'stopped' });
    expect(asked).toEqual([]);
  });

  it('refuses at once what is no URL', () => {
    expect(() => create({ coordinator: 'gleaner', credentials, policy })).toThrow(TypeError);
  });
});

it('a worker of Node writes nothing before it starts, and says so where it cannot', async () => {
  const file = join(directory, 'a-file');
  await writeFile(file, '');
  const worker = createNodeWorker({
    coordinator,
    credentials: { token: 'gln_host' },
    dataDirectory: join(file, 'below'),
  });
  expect(await readdir(directory)).toEqual(['a-file']);
  await expect(worker.start()).rejects.toThrow('ENOTDIR');
  await worker.stop();
});
