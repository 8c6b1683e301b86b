import { randomBytes } from 'node:crypto';
import { appendFile, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BlobSweep } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, Rival, sha256, type TestApplication } from '../support/index.js';

/* Uploads whose connection, coordinator or database went away between the last byte and the blob. */

const TUS = { 'tus-resumable': '1.0.0' };

let gleaner: TestApplication;
let token: string;
beforeAll(async () => {
  gleaner = await createTestApplication();
  token = (await aPerson(gleaner)).token;
});
afterAll(() => gleaner.close());

async function call(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = TUS,
  body?: Uint8Array,
): Promise<Response> {
  return await fetch(new URL(path, gleaner.url), {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
}

async function anUpload(bytes: Uint8Array): Promise<string> {
  const metadata = `sha256 ${Buffer.from(sha256(bytes)).toString('base64')}`;
  const headers = { ...TUS, 'upload-length': String(bytes.length), 'upload-metadata': metadata };
  const created = await call('POST', '/v1/uploads', headers);
  return created.headers.get('location') ?? '';
}

async function send(upload: string, bytes: Uint8Array): Promise<Response> {
  const type = { 'content-type': 'application/offset+octet-stream' };
  return await call('PATCH', upload, { ...TUS, ...type, 'upload-offset': '0' }, bytes);
}

const directory = (): string => join(gleaner.config.dataDir, 'uploads');

async function blobStatus(bytes: Uint8Array): Promise<number> {
  return (await call('GET', `/v1/blobs/sha256:${sha256(bytes)}`)).status;
}

/** Sends all of an upload while its content cannot be stored, as large ones are not for minutes. */
async function whileStoring(
  bytes: Uint8Array,
  work: (upload: string, storing: Promise<Response>, rival: Rival) => Promise<void>,
): Promise<void> {
  const upload = await anUpload(bytes);
  await using rival = await Rival.storing(gleaner.dataSource, sha256(bytes));
  const storing = send(upload, bytes);
  await rival.isWaitedForBy(1);
  await work(upload, storing, rival);
}

describe('an upload all of which has come', () => {
  it('is said to be complete once it is a blob', async () => {
    const bytes = randomBytes(3000);
    let asked: Promise<Response> | undefined;
    let stored: Promise<Response> | undefined;
    await whileStoring(bytes, async (upload, storing) => {
      stored = storing;
      let isAnswered = false;
      asked = call('HEAD', upload).finally(() => (isAnswered = true));
      // Whatever comes later is answered long before.
      for (let n = 0; n < 20; n += 1) expect(await blobStatus(bytes)).toBe(404);
      expect(isAnswered).toBe(false);
    });
    const answer = await asked;
    expect([answer?.status, answer?.headers.get('upload-offset')]).toEqual([200, '3000']);
    expect(answer?.headers.get('gleaner-blob-id')).toBe(`sha256:${sha256(bytes)}`);
    expect((await stored)?.status).toBe(204);
    expect(await blobStatus(bytes)).toBe(200);
  });

  it('becomes a blob when it is asked for after its coordinator was killed', async () => {
    const bytes = randomBytes(3000);
    const upload = await anUpload(bytes);
    await appendFile(join(directory(), basename(upload)), bytes);
    const answer = await call('HEAD', upload);
    expect([answer.status, answer.headers.get('upload-offset')]).toEqual([200, '3000']);
    expect(await blobStatus(bytes)).toBe(200);
    expect((await call('HEAD', upload)).status).toBe(404);
  });

  it('stays where the database went away, and becomes a blob later', async () => {
    const bytes = randomBytes(3000);
    let upload = '';
    await whileStoring(bytes, async (path, storing, rival) => {
      upload = path;
      await rival.breakWaiting();
      expect((await storing).status).toBeGreaterThanOrEqual(500);
    });
    expect((await call('HEAD', upload)).status).toBe(200);
    expect(await blobStatus(bytes)).toBe(200);
  });

  it('stays where the database went away while its row was written', async () => {
    const bytes = randomBytes(3000);
    const upload = await anUpload(bytes);
    {
      await using rival = await Rival.holding(
        gleaner.dataSource,
        "INSERT INTO blob (sha256, size_bytes, chunk_bytes, manifest_id, signature) VALUES ($1, 0, 1, '', '')",
        [Buffer.from(sha256(bytes), 'hex')],
      );
      const storing = send(upload, bytes);
      await rival.breakWaiting();
      expect((await storing).status).toBeGreaterThanOrEqual(500);
    }
    const answer = await call('HEAD', upload);
    expect([answer.status, answer.headers.get('upload-offset')]).toEqual([200, '3000']);
    expect(await blobStatus(bytes)).toBe(200);
    expect(await readdir(directory())).toEqual([]);
  });

  it('is forgotten where it is not what was declared', async () => {
    const upload = await anUpload(randomBytes(3000));
    await appendFile(join(directory(), basename(upload)), randomBytes(3000));
    expect((await call('HEAD', upload)).status).toBe(400);
    expect((await call('HEAD', upload)).status).toBe(404);
  });
});

describe('what is left of an upload', () => {
  const EIGHT_DAYS_MS = 8 * 24 * 3_600_000;

  /** A description of eight days ago, as the coordinator writes it. */
  async function age(id: string): Promise<void> {
    const path = join(directory(), `${id}.json`);
    const description = JSON.parse(await readFile(path, 'utf8')) as object;
    const creation = { creation_date: new Date(Date.now() - EIGHT_DAYS_MS).toISOString() };
    await writeFile(path, JSON.stringify({ ...description, ...creation }));
  }

  it('goes after a week, whichever half of it a crash or a power cut has left', async () => {
    for (const name of await readdir(directory())) await rm(join(directory(), name));
    const begin = async (): Promise<string> => basename(await anUpload(randomBytes(8)));
    const [young, old, contentAlone, descriptionAlone, unreadable] = [
      await begin(),
      await begin(),
      await begin(),
      await begin(),
      await begin(),
    ];
    await rm(join(directory(), `${contentAlone}.json`));
    await rm(join(directory(), descriptionAlone));
    await writeFile(join(directory(), `${unreadable}.json`), '');
    const remaining = async (): Promise<string[]> => (await readdir(directory())).toSorted();
    const sweep = async (): Promise<number> =>
      (await gleaner.app.get(BlobSweep).sweep(new AbortController().signal)).uploads;
    const before = await remaining();
    expect(await sweep()).toBe(0);
    expect(await remaining()).toEqual(before);

    const then = new Date(Date.now() - EIGHT_DAYS_MS);
    for (const id of [old, descriptionAlone]) await age(id);
    for (const name of [contentAlone, unreadable, `${unreadable}.json`])
      await utimes(join(directory(), name), then, then);
    expect(await sweep()).toBe(4);
    expect(await remaining()).toEqual([young, `${young}.json`]);
  });
});
