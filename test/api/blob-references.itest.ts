import { BlobReferences } from '@gleaner/coordinator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApplication, Rival, sha256, type TestApplication } from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

it.each(['removeAll', 'remove'] as const)(
  'a reference is added again while it is removed by %s, and neither fails',
  async (way) => {
    const references = gleaner.app.get(BlobReferences);
    const owner = { kind: 'task' as const, id: way === 'remove' ? '1' : '2' };
    const uses = [{ sha256: sha256(way), role: 'stdout' }];
    await gleaner.dataSource.query(
      'INSERT INTO blob (sha256, size_bytes, chunk_bytes, manifest_id, signature) VALUES ($1, 1, 1, $1, $1)',
      [Buffer.from(sha256(way), 'hex')],
    );
    await gleaner.dataSource.transaction((manager) => references.add(manager, owner, uses));
    await using rival = await Rival.begin(gleaner.dataSource);
    expect(await references.add(rival.manager, { kind: 'task', id: '3' }, uses)).toEqual([]);
    const removing = gleaner.dataSource.transaction((other) =>
      way === 'remove' ? references.remove(other, owner, uses) : references.removeAll(other, owner),
    );
    await rival.isWaitedForBy(1);
    expect(await references.add(rival.manager, owner, uses)).toEqual([]);
    await rival.commit();
    await removing;
    const left: unknown = await gleaner.dataSource.query(
      "SELECT owner_id FROM blob_reference WHERE owner_kind = 'task' AND sha256 = $1",
      [Buffer.from(sha256(way), 'hex')],
    );
    expect(left).toEqual([{ owner_id: '3' }]);
  },
);

it('nothing is referenced where one of the blobs is gone by now, and that one is named', async () => {
  const references = gleaner.app.get(BlobReferences);
  const [there, gone] = [sha256('there'), sha256('gone')];
  await gleaner.dataSource.query(
    'INSERT INTO blob (sha256, size_bytes, chunk_bytes, manifest_id, signature) VALUES ($1, 1, 1, $1, $1)',
    [Buffer.from(there, 'hex')],
  );
  const uses = [there, gone].map((digest) => ({ sha256: digest, role: `input:${digest}` }));
  const add = gleaner.dataSource.transaction((manager) =>
    references.add(manager, { kind: 'job', id: '7' }, uses),
  );
  expect(await add).toEqual([gone]);
  const left: unknown = await gleaner.dataSource.query(
    "SELECT role FROM blob_reference WHERE owner_kind = 'job' AND owner_id = 7",
  );
  expect(left).toEqual([]);
});
