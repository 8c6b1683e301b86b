import { createPublicKey, verify } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blob, coordinatorInfo } from '@gleaner/protocol';
import { expect, it } from 'vitest';
import { createTestApplication, createTestDatabase, operatorOf, sha256 } from '../support/index.js';

it('manifests are signed with the key that the coordinator has now, also where the one before was lost', async () => {
  await using resources = new AsyncDisposableStack();
  const database = await createTestDatabase();
  resources.defer(() => database.drop());
  const [lost, found] = [
    await mkdtemp(join(tmpdir(), 'gleaner-lost-')),
    await mkdtemp(join(tmpdir(), 'gleaner-found-')),
  ];
  for (const directory of [lost, found])
    resources.defer(() => rm(directory, { recursive: true, force: true }));
  const bytes = Buffer.from('a tape');
  const id = `sha256:${sha256(bytes)}`;

  const before = await createTestApplication({ databaseUrl: database.url, dataDir: lost });
  const headers = {
    authorization: `Bearer ${before.operatorToken}`,
    'content-type': 'application/octet-stream',
  };
  const put = await fetch(new URL(`/v1/blobs/${id}`, before.url), { method: 'PUT', headers, body: bytes });
  expect(put.status).toBe(201);
  await before.close();
  await cp(join(lost, 'blobs'), join(found, 'blobs'), { recursive: true });

  const gleaner = await createTestApplication({ databaseUrl: database.url, dataDir: found });
  resources.defer(() => gleaner.close());
  const info = coordinatorInfo.parse((await gleaner.http.get('/v1/coordinator').expect(200)).body);
  const x = Buffer.from(info.publicKey, 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const authorization = `Bearer ${gleaner.operatorToken}`;
  const answer = await fetch(new URL(`/v1/blobs/${id}/manifest`, gleaner.url), {
    headers: { authorization },
  });
  const manifest = Buffer.from(await answer.arrayBuffer());
  const isSigned = (signature: string): boolean =>
    verify(null, manifest, key, Buffer.from(signature, 'base64'));
  expect(isSigned(answer.headers.get('gleaner-signature') ?? '')).toBe(true);
  const described = blob.parse((await operatorOf(gleaner).get(`/v1/blobs/${id}`).expect(200)).body);
  expect(isSigned(described.signature)).toBe(true);
});
