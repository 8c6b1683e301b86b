import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BlobReferences, BlobsService, BlobSweep } from '@gleaner/coordinator';
import { deletedBlob, ownBlobPage, problem, type OwnBlobPage } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPerson,
  aProject,
  clientWith,
  createTestApplication,
  operatorOf,
  Rival,
  seedJob,
  sha256,
  type TestApplication,
  type TestClient,
  type TestPerson,
} from '../support/index.js';

/* What uploads of an account may hold of the disk, and how it is given back. Two coordinators of one data directory. */

const MIB = 1024 ** 2;
const KIB = 1024;
const TUS = { 'tus-resumable': '1.0.0' };
const ROOM = {
  GLEANER_UPLOAD_BYTES_PER_SCIENTIST: String(4 * MIB),
  GLEANER_UPLOAD_BYTES_OF_NEWCOMERS: String(8 * MIB),
  // One that sweeps by itself would choose the same blobs.
  GLEANER_ROLE: 'api',
};

let gleaner: TestApplication;
let beside: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication({ env: ROOM });
  const { databaseUrl, dataDir } = gleaner.config;
  beside = await createTestApplication({ databaseUrl: databaseUrl ?? '', dataDir, env: ROOM });
});
afterAll(async () => {
  await beside.close();
  await gleaner.close();
});

const idOf = (bytes: Uint8Array): string => `sha256:${sha256(bytes)}`;

async function put(person: TestClient, bytes: Uint8Array): Promise<number> {
  const type = 'application/octet-stream';
  return (
    await person
      .put(`/v1/blobs/${idOf(bytes)}`)
      .set('content-type', type)
      .send(Buffer.from(bytes))
  ).status;
}

/** Begins an upload. */
async function begin(
  { token }: TestClient,
  bytes: number,
  { at = gleaner, metadata }: { at?: TestApplication; metadata?: string } = {},
): Promise<Response> {
  return await fetch(new URL('/v1/uploads', at.url), {
    method: 'POST',
    headers: {
      ...TUS,
      authorization: `Bearer ${token}`,
      'upload-length': String(bytes),
      ...(metadata === undefined ? {} : { 'upload-metadata': metadata }),
    },
  });
}

async function send({ token }: TestClient, begun: Response, bytes: Uint8Array): Promise<number> {
  const answer = await fetch(new URL(begun.headers.get('location') ?? '', gleaner.url), {
    method: 'PATCH',
    headers: {
      ...TUS,
      authorization: `Bearer ${token}`,
      'content-type': 'application/offset+octet-stream',
      'upload-offset': '0',
    },
    body: new Uint8Array(bytes),
  });
  return answer.status;
}

async function look(person: TestClient, query = ''): Promise<OwnBlobPage> {
  return ownBlobPage.parse((await person.get(`/v1/blobs${query}`).expect(200)).body);
}

async function heldBytes(person: TestClient): Promise<number> {
  return (await look(person)).room.heldBytes;
}

async function giveBack(person: TestClient, bytes: Uint8Array): Promise<boolean> {
  return deletedBlob.parse((await person.delete(`/v1/blobs/${idOf(bytes)}`).expect(200)).body).isGone;
}

/** Minutes pass for whatever is on its way out, and it is looked for. */
async function sweepAfterMinutes(minutes: number): Promise<void> {
  await gleaner.dataSource.query(
    "UPDATE blob SET unreferenced_since = unreferenced_since - $1 * interval '1 minute'",
    [minutes],
  );
  await gleaner.app.get(BlobSweep).sweep(new AbortController().signal);
}

async function forgetAll(): Promise<void> {
  await gleaner.dataSource.query('DELETE FROM upload_hold');
  await gleaner.dataSource.query('DELETE FROM blob_grant');
}

/** Two uploads begin while nothing can be added to what these accounts hold: each would find the room as it was before. */
async function statusesOf(
  people: readonly TestPerson[],
  beginBoth: () => ReadonlyArray<Promise<Response>>,
): Promise<number[]> {
  await using rival = await Rival.holding(
    gleaner.dataSource,
    'SELECT FROM upload_room WHERE account_id = ANY($1::bigint[]) ORDER BY account_id FOR UPDATE',
    [people.map(({ account }) => account.id)],
  );
  const begun = beginBoth();
  await rival.isWaitedForBy(2);
  await rival.commit();
  return (await Promise.all(begun)).map(({ status }) => status).toSorted((a, b) => a - b);
}

describe('what uploads of an account hold', () => {
  it('is bounded, with what was announced, however it comes; the refusal says what is left', async () => {
    const { scientist } = await aProject(gleaner);
    expect(await put(scientist, randomBytes(MIB))).toBe(201);
    expect((await begin(scientist, 2 * MIB)).status).toBe(201);
    const refused = await begin(scientist, 2 * MIB);
    expect(refused.status).toBe(413);
    const { code, detail } = problem.parse(await refused.json());
    expect(code).toBe('upload-room-used-up');
    expect(detail).toMatch(
      /^2\.10 MB were .* of the 4\.19 MB that your uploads may hold 1\.05 MB are left\./,
    );
    expect(await put(scientist, randomBytes(MIB + 1))).toBe(413);
    expect(await put(scientist, randomBytes(MIB))).toBe(201);
    expect((await begin(scientist, 0)).status).toBe(413);
  });

  it('is for operators no matter', async () => {
    const operator = operatorOf(gleaner);
    expect(await put(operator, randomBytes(5 * MIB))).toBe(201);
    expect((await look(operator)).room).toMatchObject({ heldBytes: 5 * MIB, maxBytes: null });
  });

  it('counts each as 64 KiB at least, or files without end would fit', async () => {
    const person = await aPerson(gleaner);
    expect(await put(person, randomBytes(1))).toBe(201);
    expect(await heldBytes(person)).toBe(64 * KIB);
  });

  it('stays the same when an upload ends, and is less when it fails or is given up', async () => {
    const { scientist } = await aProject(gleaner);
    const bytes = randomBytes(MIB);
    const good = await begin(scientist, MIB);
    const wrong = `sha256 ${Buffer.from(sha256(randomBytes(1))).toString('base64')}`;
    const bad = await begin(scientist, MIB, { metadata: wrong });
    const givenUp = await begin(scientist, MIB);
    const { room } = await look(scientist);
    expect(room).toMatchObject({ heldBytes: 3 * MIB, maxBytes: 4 * MIB });
    const uploads = [givenUp, bad, good].map(({ headers }) => headers.get('location')?.split('/').at(-1));
    expect(room.unfinished.map(({ uploadId }) => uploadId)).toEqual(uploads);
    expect(await send(scientist, good, bytes)).toBe(204);
    expect(await heldBytes(scientist)).toBe(3 * MIB);
    expect(await send(scientist, bad, bytes)).toBe(400);
    await scientist
      .delete(givenUp.headers.get('location') ?? '')
      .set(TUS)
      .expect(204);
    expect((await look(scientist)).room).toMatchObject({ heldBytes: MIB, unfinished: [] });
  });

  it('is less when an upload is given up whose files are gone already', async () => {
    const person = await aPerson(gleaner);
    const location = (await begin(person, MIB)).headers.get('location') ?? '';
    const file = join(gleaner.config.dataDir, 'uploads', basename(location));
    for (const path of [file, `${file}.json`]) await rm(path);
    await person.delete(location).set(TUS).expect(204);
    expect((await look(person)).room).toMatchObject({ heldBytes: 0, unfinished: [] });
    await person.delete(location).set(TUS).expect(404);
  });

  it('is less when an upload that nobody finished is forgotten', async () => {
    const person = await aPerson(gleaner);
    await begin(person, MIB);
    expect(await heldBytes(person)).toBe(MIB);
    await gleaner.dataSource.query('UPDATE upload_hold SET expires_at = now() WHERE account_id = $1', [
      person.account.id,
    ]);
    await sweepAfterMinutes(0);
    expect(await heldBytes(person)).toBe(0);
  });

  it('is not passed by uploads that begin at the same moment at two coordinators', async () => {
    const { scientist } = await aProject(gleaner);
    await begin(scientist, MIB);
    const statuses = await statusesOf([scientist], () => [
      begin(scientist, 2 * MIB),
      begin(scientist, 2 * MIB, { at: beside }),
    ]);
    expect(statuses).toEqual([201, 413]);
    expect(await heldBytes(scientist)).toBe(3 * MIB);
  });

  it('does not count answers of its jobs, unless they are uploaded as well', async () => {
    const person = await aPerson(gleaner);
    const answer = randomBytes(MIB);
    await gleaner.app.get(BlobsService).storeBytes(answer, { accountId: person.account.id });
    expect(await look(person)).toMatchObject({ items: [], room: { heldBytes: 0 } });
    expect(await put(person, answer)).toBe(201);
    expect(await heldBytes(person)).toBe(MIB);
  });
});

describe('whom no operator has approved', () => {
  it('has less room, and takes none from scientists', async () => {
    await forgetAll();
    for (let n = 0; n < 4; n += 1) {
      const newcomer = await aPerson(gleaner);
      expect((await begin(newcomer, 2 * MIB + 1)).status).toBe(413);
      expect((await begin(newcomer, 2 * MIB)).status).toBe(201);
    }
    const refused = await begin(await aPerson(gleaner), 1);
    expect(refused.status).toBe(413);
    expect(problem.parse(await refused.json()).detail).toMatch(/all accounts without an approved project/);
    const { scientist } = await aProject(gleaner);
    expect((await begin(scientist, 4 * MIB)).status).toBe(201);
  });

  it('has a scientist’s room with the approval of a project', async () => {
    await forgetAll();
    const { slug, scientist } = await aProject(gleaner, { approved: false });
    expect((await begin(scientist, 3 * MIB)).status).toBe(413);
    await operatorOf(gleaner).post(`/v1/projects/${slug}/approval`).expect(200);
    expect((await begin(scientist, 3 * MIB)).status).toBe(201);
  });

  it('takes turns: two who begin at the same moment hold no more than there is for all', async () => {
    await forgetAll();
    for (let n = 0; n < 3; n += 1) await begin(await aPerson(gleaner), 2 * MIB);
    const [ada, bob] = [await aPerson(gleaner), await aPerson(gleaner)];
    for (const person of [ada, bob]) await begin(person, 1);
    const statuses = await statusesOf([ada, bob], () => [
      begin(ada, 1.5 * MIB),
      begin(bob, 1.5 * MIB, { at: beside }),
    ]);
    expect(statuses).toEqual([201, 413]);
    await forgetAll();
  });
});

describe('an upload that is given back', () => {
  it('goes at once, with its room', async () => {
    const person = await aPerson(gleaner);
    const bytes = randomBytes(MIB);
    await put(person, bytes);
    expect(await giveBack(person, bytes)).toBe(true);
    expect(await look(person)).toMatchObject({ items: [], room: { heldBytes: 0 } });
    await person.get(`/v1/blobs/${idOf(bytes)}`).expect(404);
    await operatorOf(gleaner)
      .get(`/v1/blobs/${idOf(bytes)}`)
      .expect(404);
    await person.delete(`/v1/blobs/${idOf(bytes)}`).expect(404);
  });

  it('stays another’s who has uploaded it too', async () => {
    const [ada, bob] = [await aPerson(gleaner), await aPerson(gleaner)];
    const bytes = randomBytes(MIB);
    await put(ada, bytes);
    await put(bob, bytes);
    expect(await giveBack(ada, bytes)).toBe(true);
    expect([await heldBytes(ada), await heldBytes(bob)]).toEqual([0, MIB]);
    await sweepAfterMinutes(20);
    await bob.get(`/v1/blobs/${idOf(bytes)}/content`).expect(200);
  });

  it('is kept while a job of the account needs it, and goes soon after that', async () => {
    const person = await aPerson(gleaner);
    const bytes = randomBytes(MIB);
    await put(person, bytes);
    const { jobId } = await seedJob(gleaner.dataSource, { units: 1, accountId: person.account.id });
    const references = gleaner.app.get(BlobReferences);
    const owner = { kind: 'job', id: String(jobId) } as const;
    await gleaner.dataSource.transaction((manager) =>
      references.add(manager, owner, [{ sha256: sha256(bytes), role: 'input:x' }]),
    );
    const refused = await person.delete(`/v1/blobs/${idOf(bytes)}`).expect(409);
    expect(problem.parse(refused.body).detail).toContain(`job ${jobId}`);
    await gleaner.dataSource.transaction((manager) => references.removeAll(manager, owner));
    expect(await giveBack(person, bytes)).toBe(false);
    // Or else giving back and uploading again would fill the disk.
    expect(await heldBytes(person)).toBe(MIB);
    await sweepAfterMinutes(20);
    expect(await heldBytes(person)).toBe(0);
  });

  it('that came twice counts until it is gone', async () => {
    const person = await aPerson(gleaner);
    const bytes = randomBytes(MIB);
    await put(person, bytes);
    await put(person, bytes);
    expect(await giveBack(person, bytes)).toBe(false);
    expect(await heldBytes(person)).toBe(MIB);
    await sweepAfterMinutes(20);
    expect(await heldBytes(person)).toBe(0);
  });

  it('is not found by whoever gave it back and looks whether to upload it, also where others have it', async () => {
    const [ada, bob] = [await aPerson(gleaner), await aPerson(gleaner)];
    const bytes = randomBytes(MIB);
    await put(ada, bytes);
    await put(bob, bytes);
    await ada.get(`/v1/blobs/${idOf(bytes)}`).expect(200);
    await giveBack(ada, bytes);
    await ada.get(`/v1/blobs/${idOf(bytes)}`).expect(404);
    await bob.get(`/v1/blobs/${idOf(bytes)}`).expect(200);
    await put(ada, bytes);
    await ada.get(`/v1/blobs/${idOf(bytes)}`).expect(200);
  });

  it('stays where it is uploaded once more, for which it is not found before', async () => {
    for (const client of [await aPerson(gleaner), operatorOf(gleaner)]) {
      const bytes = randomBytes(MIB);
      await put(client, bytes);
      await put(client, bytes);
      expect(await giveBack(client, bytes)).toBe(false);
      await client.get(`/v1/blobs/${idOf(bytes)}`).expect(404);
      await put(client, bytes);
      await sweepAfterMinutes(20);
      await client.get(`/v1/blobs/${idOf(bytes)}/content`).expect(200);
    }
  });

  it('by the deletion of its account counts until it is gone', async () => {
    await forgetAll();
    const leavers: TestPerson[] = [];
    for (let n = 0; n < 4; n += 1) {
      const person = await aPerson(gleaner);
      expect(await put(person, randomBytes(2 * MIB))).toBe(201);
      await person.delete('/v1/accounts/me').send({ name: person.account.name }).expect(204);
      leavers.push(person);
    }
    const newcomer = await aPerson(gleaner);
    expect(await put(newcomer, randomBytes(1))).toBe(413);
    await sweepAfterMinutes(20);
    expect(await put(newcomer, randomBytes(1))).toBe(201);
    const grants: unknown = await gleaner.dataSource.query(
      'SELECT FROM blob_grant WHERE account_id = ANY($1::bigint[])',
      [leavers.map(({ account }) => account.id)],
    );
    expect(grants).toEqual([]);
  });

  it('by the deletion of its account goes soon where it is unfinished', async () => {
    const person = await aPerson(gleaner);
    const location = (await begin(person, MIB)).headers.get('location') ?? '';
    const file = join(gleaner.config.dataDir, 'uploads', basename(location));
    await stat(file);
    await person.delete('/v1/accounts/me').send({ name: person.account.name }).expect(204);
    await sweepAfterMinutes(0);
    for (const path of [file, `${file}.json`]) await expect(stat(path)).rejects.toThrow('ENOENT');
    const held: unknown = await gleaner.dataSource.query(
      'SELECT FROM upload_room WHERE account_id = $1 AND held_bytes > 0',
      [person.account.id],
    );
    expect(held).toEqual([]);
  });

  it('is nobody else’s to give', async () => {
    const [ada, bob] = [await aPerson(gleaner), await aPerson(gleaner)];
    const bytes = randomBytes(10);
    await put(ada, bytes);
    await bob.delete(`/v1/blobs/${idOf(bytes)}`).expect(404);
    const worker = await aPerson(gleaner, { scopes: ['work'] });
    await clientWith(gleaner, worker.token)
      .delete(`/v1/blobs/${idOf(bytes)}`)
      .expect(403);
  });
});

it('uploads are listed newest first, page by page', async () => {
  const { scientist } = await aProject(gleaner);
  const contents = [];
  for (let n = 0; n < 5; n += 1) {
    const bytes = randomBytes(100);
    await put(scientist, bytes);
    contents.unshift(idOf(bytes));
  }
  const first = await look(scientist, '?limit=2');
  const second = await look(scientist, `?limit=2&cursor=${first.nextCursor}`);
  const third = await look(scientist, `?limit=2&cursor=${second.nextCursor}`);
  expect([first, second, third].flatMap(({ items }) => items.map(({ blobId }) => blobId))).toEqual(contents);
  expect(third.nextCursor).toBeNull();
  await scientist.get('/v1/blobs?cursor=nonsense').expect(400);
});
