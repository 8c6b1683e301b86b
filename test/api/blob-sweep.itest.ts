import { randomBytes } from 'node:crypto';
import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { BlobReferences, BlobsService } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, Rival, sha256, type TestApplication } from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  // A coordinator that sweeps by itself would choose the same blobs.
  gleaner = await createTestApplication({ env: { GLEANER_ROLE: 'api' } });
});
afterAll(() => gleaner.close());

const EIGHT_DAYS_MS = 8 * 24 * 3_600_000;

async function aBlob(bytes: Uint8Array = randomBytes(40)): Promise<{ bytes: Uint8Array; digest: string }> {
  await gleaner.app.get(BlobsService).storeBytes(bytes, { accountId: null });
  return { bytes, digest: sha256(bytes) };
}

async function readBack(digest: string): Promise<Buffer> {
  return await buffer(await gleaner.app.get(BlobsService).openContent(digest));
}

/** As if eight days had passed for whatever is on its way out. */
async function aWeekPasses(): Promise<void> {
  await gleaner.dataSource.query(
    "UPDATE blob SET unreferenced_since = unreferenced_since - interval '8 days'",
  );
}

/** The content is stored again, and before that is done a sweep has already chosen it. */
async function storeAgainDuring(bytes: Uint8Array, sweep: () => Promise<number>): Promise<void> {
  await using rival = await Rival.storing(gleaner.dataSource, sha256(bytes));
  // Who comes first gets the lock first.
  const stored = aBlob(bytes);
  await rival.isWaitedForBy(1);
  const swept = sweep();
  await rival.isWaitedForBy(2);
  await rival.commit();
  await Promise.all([stored, swept]);
}

describe('a sweep of blobs', () => {
  it('leaves what is stored again in the moment in which it would go', async () => {
    const { bytes, digest } = await aBlob();
    await aWeekPasses();
    const blobs = gleaner.app.get(BlobsService);
    await storeAgainDuring(bytes, () => blobs.sweepUnreferenced());
    expect(await blobs.describe(digest)).toMatchObject({ sizeBytes: bytes.length });
    expect(await readBack(digest)).toEqual(bytes);
  });

  it('leaves content without a row that gets one in the moment in which it would go', async () => {
    const { bytes, digest } = await aBlob();
    await gleaner.dataSource.query("DELETE FROM blob WHERE sha256 = decode($1, 'hex')", [digest]);
    const then = new Date(Date.now() - EIGHT_DAYS_MS);
    for (const suffix of ['bin', 'manifest']) {
      await utimes(
        join(gleaner.config.dataDir, 'blobs', digest.slice(0, 2), `${digest}.${suffix}`),
        then,
        then,
      );
    }
    const blobs = gleaner.app.get(BlobsService);
    await storeAgainDuring(bytes, () => blobs.sweepStrays(Number.parseInt(digest.slice(0, 2), 16)));
    expect(await readBack(digest)).toEqual(bytes);
  });

  it('does not even look at a blob of two jobs when one of them is deleted', async () => {
    const { digest } = await aBlob();
    const references = gleaner.app.get(BlobReferences);
    await gleaner.dataSource.transaction(async (manager) => {
      for (const id of ['1', '2']) {
        await references.add(manager, { kind: 'job', id }, [{ sha256: digest, role: 'input:x' }]);
      }
      await references.removeAll(manager, { kind: 'job', id: '1' });
    });
    // Otherwise a page full of such blobs would be all that a sweep ever sees.
    const rows: unknown = await gleaner.dataSource.query(
      "SELECT unreferenced_since FROM blob WHERE sha256 = decode($1, 'hex')",
      [digest],
    );
    expect(rows).toEqual([{ unreferenced_since: null }]);
    await gleaner.dataSource.transaction((manager) =>
      references.removeAll(manager, { kind: 'job', id: '2' }),
    );
    await aWeekPasses();
    const blobs = gleaner.app.get(BlobsService);
    await blobs.sweepUnreferenced();
    await expect(blobs.describe(digest)).rejects.toThrow('There is no blob');
  });
});

describe('content whose transaction failed', () => {
  const bytes = randomBytes(30);
  const digest = sha256(bytes);
  const part = Number.parseInt(digest.slice(0, 2), 16);
  const path = (suffix: string): string =>
    join(gleaner.config.dataDir, 'blobs', digest.slice(0, 2), `${digest}.${suffix}`);
  const isThere = async (): Promise<boolean[]> =>
    await Promise.all(
      ['bin', 'manifest'].map((suffix) =>
        stat(path(suffix)).then(
          () => true,
          () => false,
        ),
      ),
    );
  /** The files as they would be after eight days. */
  const age = async (): Promise<void> => {
    const then = new Date(Date.now() - EIGHT_DAYS_MS);
    for (const suffix of ['bin', 'manifest']) await utimes(path(suffix), then, then);
  };

  const put = async (): Promise<number> => {
    const { token } = await aPerson(gleaner);
    const request = gleaner.http.put(`/v1/blobs/sha256:${digest}`).set('authorization', `Bearer ${token}`);
    return (await request.set('content-type', 'application/octet-stream').send(bytes)).status;
  };

  it('is removed after a week, and only where it is nobody’s', async () => {
    const blobs = gleaner.app.get(BlobsService);
    await gleaner.dataSource.query(
      `CREATE FUNCTION refuse_blob() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
       CREATE TRIGGER refuse_blob BEFORE INSERT ON blob FOR EACH ROW EXECUTE FUNCTION refuse_blob()`,
    );
    expect(await put()).toBe(500);
    await gleaner.dataSource.query('DROP TRIGGER refuse_blob ON blob; DROP FUNCTION refuse_blob');
    expect(await isThere()).toEqual([true, true]);
    expect(await blobs.sweepStrays(part)).toBe(0);
    await age();
    expect(await blobs.sweepStrays(part)).toBe(1);
    expect(await isThere()).toEqual([false, false]);

    expect(await put()).toBe(201);
    await age();
    expect(await blobs.sweepStrays(part)).toBe(0);
    expect((await readBack(digest)).equals(bytes)).toBe(true);
  });
});
