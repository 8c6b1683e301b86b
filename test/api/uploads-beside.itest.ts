import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { request, type ClientRequest } from 'node:http';
import { basename, join } from 'node:path';
import { masterPool } from '@gleaner/coordinator';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aPerson, createTestApplication, Rival, sha256, type TestApplication } from '../support/index.js';

/* Two coordinators of one data directory, as behind a load balancer. */

const TUS = { 'tus-resumable': '1.0.0' };

let first: TestApplication;
let second: TestApplication;
let authorization: string;
beforeAll(async () => {
  first = await createTestApplication();
  const { databaseUrl, dataDir } = first.config;
  second = await createTestApplication({ databaseUrl: databaseUrl ?? '', dataDir });
  authorization = `Bearer ${(await aPerson(first)).token}`;
});
afterAll(async () => {
  await second.close();
  await first.close();
});

function patchOf(offset: number): Record<string, string> {
  const type = 'application/offset+octet-stream';
  return { ...TUS, authorization, 'content-type': type, 'upload-offset': String(offset) };
}

async function anUpload(bytes: Uint8Array): Promise<string> {
  const metadata = `sha256 ${Buffer.from(sha256(bytes)).toString('base64')}`;
  const { headers } = await fetch(new URL('/v1/uploads', first.url), {
    method: 'POST',
    headers: { ...TUS, authorization, 'upload-length': String(bytes.length), 'upload-metadata': metadata },
  });
  return headers.get('location') ?? '';
}

/** Sends one byte of all that it announces, and stays. */
async function begun(upload: string, bytes: Uint8Array): Promise<ClientRequest> {
  const headers = { ...patchOf(0), 'content-length': String(bytes.length) };
  const sending = request(new URL(upload, second.url), { method: 'PATCH', headers });
  sending.on('error', () => undefined);
  sending.write(bytes.subarray(0, 1));
  const file = join(first.config.dataDir, 'uploads', basename(upload));
  await expect.poll(async () => (await stat(file)).size, { timeout: 20_000 }).toBe(1);
  return sending;
}

async function sendTheRest(upload: string, bytes: Uint8Array): Promise<Response> {
  return await fetch(new URL(upload, first.url), {
    method: 'PATCH',
    headers: patchOf(1),
    body: new Uint8Array(bytes.subarray(1)),
  });
}

async function contentOf(bytes: Uint8Array): Promise<Uint8Array> {
  const content = await fetch(new URL(`/v1/blobs/sha256:${sha256(bytes)}/content`, second.url), {
    headers: { authorization },
  });
  return new Uint8Array(await content.arrayBuffer());
}

it('whoever goes on with an upload at another coordinator ends what still writes to it', async () => {
  const bytes = randomBytes(3000);
  const upload = await anUpload(bytes);
  const sending = await begun(upload, bytes);
  const ended = Promise.race([once(sending, 'response'), once(sending, 'close')]);
  expect((await sendTheRest(upload, bytes)).status).toBe(204);
  await ended;
  sending.end(new Uint8Array(bytes.length - 1));
  expect(sha256(await contentOf(bytes))).toBe(sha256(bytes));
});

it('a coordinator that loses its connection to the database writes to no upload any more', async () => {
  const bytes = randomBytes(3000);
  const upload = await anUpload(bytes);
  const sending = await begun(upload, bytes);
  const ended = Promise.race([once(sending, 'response'), once(sending, 'close')]);
  await first.dataSource.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks, hashtextextended($1, 0) AS key
      WHERE locktype = 'advisory' AND classid::bigint = (key >> 32) & 4294967295 AND objid::bigint = key & 4294967295`,
    [`upload ${basename(upload)}`],
  );
  await ended;
  expect((await sendTheRest(upload, bytes)).status).toBe(204);
  expect(sha256(await contentOf(bytes))).toBe(sha256(bytes));
});

it('an upload that two coordinators make a blob of at the same moment is stored, and both say so', async () => {
  const bytes = randomBytes(3000);
  const upload = await anUpload(bytes);
  await using rival = await Rival.storing(first.dataSource, sha256(bytes));
  const body = new Uint8Array(bytes);
  const sent = fetch(new URL(upload, first.url), { method: 'PATCH', headers: patchOf(0), body });
  await rival.isWaitedForBy(1);
  // As from a client whose line broke, by way of a load balancer.
  const asked = fetch(new URL(upload, second.url), { method: 'HEAD', headers: { ...TUS, authorization } });
  await rival.isWaitedForBy(2);
  await rival.commit();
  const said = (await Promise.all([sent, asked])).map(({ status, headers }) => [
    status,
    headers.get('gleaner-blob-id'),
  ]);
  const blobId = `sha256:${sha256(bytes)}`;
  expect(said).toEqual([
    [204, blobId],
    [200, blobId],
  ]);
  expect(sha256(await contentOf(bytes))).toBe(sha256(bytes));
});

it('an upload goes on where the connection that locks it breaks as it is given back', async () => {
  const bytes = randomBytes(3000);
  const upload = await anUpload(bytes);
  const pool = masterPool(first.dataSource);
  const breakOff = async (connection: pg.PoolClient): Promise<void> => {
    const pids = await connection.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const ended = new Promise((resolve) => connection.once('end', resolve));
    await second.dataSource.query('SELECT pg_terminate_backend($1)', [pids.rows[0]?.pid]);
    await ended;
  };
  const breaking = (connection: pg.PoolClient): void => {
    const query = connection.query.bind(connection);
    const whereGivenBack = async (text: string, values?: unknown[]): Promise<unknown> => {
      if (text.startsWith('UNLISTEN')) await breakOff(connection);
      return await query(text, values);
    };
    Object.assign(connection, { query: whereGivenBack });
  };
  const send = async (from: number, to: number): Promise<number> => {
    const body = new Uint8Array(bytes.subarray(from, to));
    return (await fetch(new URL(upload, first.url), { method: 'PATCH', headers: patchOf(from), body }))
      .status;
  };
  pool.on('acquire', breaking);
  try {
    expect(await send(0, 1000)).toBe(204);
  } finally {
    pool.off('acquire', breaking);
  }
  expect(await send(1000, bytes.length)).toBe(204);
});
