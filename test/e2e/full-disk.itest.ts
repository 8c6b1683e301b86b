import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestApplication,
  createVolunteer,
  DispatchFixture,
  resultWith,
  type SeededJob,
  sha256,
  type TestApplication,
  type TestHost,
} from '../support/index.js';

/** Below the reserve from the first byte on. */
const NO_ROOM = { GLEANER_MIN_FREE_BYTES: String(Number.MAX_SAFE_INTEGER) };
const GIB = 1024 ** 3;
const TUS = { 'tus-resumable': '1.0.0' };

describe('a disk without room beside the reserve', () => {
  let dispatch: DispatchFixture;
  beforeAll(async () => {
    dispatch = await DispatchFixture.start(NO_ROOM);
  });
  afterAll(() => dispatch.close());

  /** A unit whose two tasks were reported with this output. */
  async function agree(bytes: Buffer, withheld: boolean): Promise<{ job: SeededJob; hosts: TestHost[] }> {
    const job = await dispatch.aJob();
    const hosts = [await dispatch.aHost(), await dispatch.aHost()];
    for (const host of hosts) {
      const { reports } = await host.report(resultWith(await dispatch.aTask(host), bytes, { withheld }));
      expect(reports).toMatchObject([{ status: 'accepted' }]);
    }
    return { job, hosts };
  }

  it('takes results with the outputs that come along', async () => {
    const { job } = await agree(Buffer.alloc(40_000, 'x'), false);
    await dispatch.becomes(job, 'valid');
  });

  it('says that an answer waits for room', async () => {
    const { job } = await agree(Buffer.from('z'), false);
    const authorization = `Bearer ${dispatch.scientist.token}`;
    const url = new URL(`/v1/jobs/${job.jobId}`, dispatch.gleaner.url);
    const stateReason = /^there was no room for its answer on the coordinator's disk; it is tried again/;
    const told = async (): Promise<unknown> =>
      await (await fetch(url, { headers: { authorization } })).json();
    await expect
      .poll(told)
      .toMatchObject({ state: 'assimilating', stateReason: expect.stringMatching(stateReason) as string });
  });

  it('takes the outputs that it asks for', async () => {
    const bytes = Buffer.alloc(100_000, 'y');
    const { job, hosts } = await agree(bytes, true);
    const wanted = async () =>
      (
        await Promise.all(
          hosts.map(async (host) => {
            const { outputsWanted } = await host.work();
            return outputsWanted.map(({ uploadUrl }) => ({ host, uploadUrl }));
          }),
        )
      ).flat();
    await expect.poll(wanted).toHaveLength(1);
    const [{ host, uploadUrl }] = (await wanted()) as [{ host: TestHost; uploadUrl: string }];
    const answer = await fetch(new URL(uploadUrl, dispatch.gleaner.url), {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${host.attached.secret}`,
        'content-type': 'application/octet-stream',
      },
      body: new Uint8Array(bytes),
    });
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    await dispatch.becomes(job, 'valid');
  });

  it('refuses uploads of either kind', async () => {
    const authorization = `Bearer ${dispatch.scientist.token}`;
    const bytes = randomBytes(10);
    const direct = await fetch(new URL(`/v1/blobs/sha256:${sha256(bytes)}`, dispatch.gleaner.url), {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/octet-stream' },
      body: new Uint8Array(bytes),
    });
    const resumable = await fetch(new URL('/v1/uploads', dispatch.gleaner.url), {
      method: 'POST',
      headers: { ...TUS, authorization, 'upload-length': '10' },
    });
    for (const answer of [direct, resumable]) {
      expect(answer.status).toBe(507);
      expect(await answer.json()).toMatchObject({ code: 'insufficient-storage' });
    }
  });
});

describe('room for uploads', () => {
  let directory: string;
  let app: TestApplication;
  let token: string;
  /** More than half of what may be used. */
  let largeBytes: number;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gleaner-room-'));
    const { bavail, bsize } = await statfs(directory);
    // The reserve leaves what is small enough for one upload; others on this machine may use some of it meanwhile.
    const usableBytes = Math.min(bavail * bsize, 1.5 * LIMITS.blobBytes);
    largeBytes = Math.floor(0.6 * usableBytes);
    app = await createTestApplication({
      dataDir: directory,
      env: {
        GLEANER_MIN_FREE_BYTES: String(bavail * bsize - usableBytes),
        // Of the disk alone: what an account may hold of it is another matter.
        GLEANER_UPLOAD_BYTES_OF_NEWCOMERS: String(16 * LIMITS.blobBytes),
      },
    });
    ({ token } = await createVolunteer(app.url, app.operatorToken, 'scientist'));
  });
  afterAll(async () => {
    await app.close();
    await rm(directory, { recursive: true, force: true });
  });

  function tus(method: string, path: string, headers: Record<string, string>, body?: Buffer, url = app.url) {
    return fetch(new URL(path, url), {
      method,
      headers: { ...TUS, authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
  }
  const create = (bytes: number) => tus('POST', '/v1/uploads', { 'upload-length': String(bytes) });

  it('is promised to an account once, and free again when the upload is given up', async () => {
    expect(largeBytes).toBeGreaterThan(GIB);
    const answers = await Promise.all([create(largeBytes), create(largeBytes), create(largeBytes)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 507, 507]);
    const location = answers.find(({ status }) => status === 201)?.headers.get('location') ?? '';
    expect((await create(largeBytes)).status).toBe(507);
    const { token: stranger } = await createVolunteer(app.url, app.operatorToken, 'stranger');
    const authorization = `Bearer ${stranger}`;
    const headers = { authorization, 'upload-length': String(largeBytes) };
    expect((await tus('POST', '/v1/uploads', headers)).status).toBe(201);
    expect((await tus('DELETE', location, {})).status).toBe(204);
    const again = await create(largeBytes);
    expect(again.status).toBe(201);
    await tus('DELETE', again.headers.get('location') ?? '', {});
  });

  it('is looked at again while content comes', async () => {
    const location = (await create(1000)).headers.get('location') ?? '';
    const headers = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
    const full = await createTestApplication({
      dataDir: directory,
      databaseUrl: app.config.databaseUrl ?? '',
      env: NO_ROOM,
    });
    try {
      const refused = await tus('PATCH', location, headers, Buffer.alloc(1000), full.url);
      expect(refused.status).toBe(507);
      expect(await refused.json()).toMatchObject({ code: 'insufficient-storage' });
    } finally {
      await full.close();
    }
    expect((await tus('PATCH', location, headers, Buffer.alloc(1000))).status).toBe(204);
  });

  it('is not the only bound: an account has at most a hundred uploads unfinished', async () => {
    for (let made = 0; made < 100; made += 1) expect((await create(1)).status).toBe(201);
    const refused = await create(1);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: 'rate-limited' });
  });

  it('is not given to content of another type', async () => {
    const { token: other } = await createVolunteer(app.url, app.operatorToken, 'another');
    const created = await fetch(new URL('/v1/uploads', app.url), {
      method: 'POST',
      headers: { ...TUS, authorization: `Bearer ${other}`, 'upload-length': '3' },
    });
    const answer = await fetch(new URL(created.headers.get('location') ?? '', app.url), {
      method: 'PATCH',
      headers: {
        ...TUS,
        authorization: `Bearer ${other}`,
        'upload-offset': '0',
        'content-type': 'text/plain',
      },
      body: 'abc',
    });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ code: 'unsupported-media-type' });
  });
});
