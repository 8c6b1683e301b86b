import { appVersion, appVersionPage, LIMITS, problem } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import {
  aPerson,
  aProject,
  createTestApplication,
  operatorOf,
  Rival,
  sha256,
  type TestApplication,
  type TestClient,
} from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

const hello = helloModule('hello\n');

function publish(client: TestClient, project: string, name: string, version: string, module: Uint8Array) {
  return client
    .post(`/v1/apps?project=${project}&name=${name}&version=${version}`)
    .set('content-type', 'application/wasm')
    .send(Buffer.from(module));
}

describe('apps', () => {
  it('are admitted, stored as uploaded and as rewritten, and wait for approval', async () => {
    const { slug, scientist } = await aProject(gleaner);
    const response = await publish(scientist, slug, 'hello', '1', hello.original).expect(201);
    const published = appVersion.parse(response.body);
    expect(published).toMatchObject({ app: 'hello', version: '1', project: slug, approved: false });
    expect(published.report.originalSha256).toBe(sha256(hello.original));
    const address = `/v1/modules/${published.report.rewrittenSha256}`;
    const module = await fetch(`${gleaner.url}${address}`);
    expect(module.status).toBe(200);
    expect(sha256(new Uint8Array(await module.arrayBuffer()))).toBe(published.report.rewrittenSha256);
    await gleaner.http
      .get(`/v1/modules/${published.report.rewrittenSha256}`)
      .set('if-none-match', module.headers.get('etag') ?? '')
      .expect(304);
    // What was uploaded is not what volunteers run, and is not served as if it were.
    await gleaner.http.get(`/v1/modules/${published.report.originalSha256}`).expect(404);
  });

  it('are approved by operators alone, once; their own uploads at once', async () => {
    const { slug, scientist } = await aProject(gleaner);
    await publish(scientist, slug, 'approvable', '1.0', hello.original).expect(201);
    await scientist.post('/v1/apps/approvable/versions/1.0/approval').expect(403);
    const operator = operatorOf(gleaner);
    const first = appVersion.parse(
      (await operator.post('/v1/apps/approvable/versions/1.0/approval').expect(200)).body,
    );
    const again = await operator.post('/v1/apps/approvable/versions/1.0/approval').expect(200);
    expect(first.approved).toBe(true);
    expect(again.body).toEqual(first);
    const own = await publish(operator, slug, 'operators-own', '1', hello.original).expect(201);
    expect(appVersion.parse(own.body).approved).toBe(true);
    await operator.post('/v1/apps/nobody-made-it/versions/1/approval').expect(404);
  });

  it('never change: a version and a name are taken once', async () => {
    const { slug, scientist } = await aProject(gleaner);
    await publish(scientist, slug, 'fixed', '1', hello.original).expect(201);
    const repeated = await publish(scientist, slug, 'fixed', '1', helloModule('other').original).expect(409);
    expect(repeated.body).toMatchObject({ code: 'already-exists', errors: [{ pointer: '/version' }] });
    const other = await aProject(gleaner);
    const stolen = await publish(other.scientist, other.slug, 'fixed', '2', hello.original).expect(409);
    expect(stolen.body).toMatchObject({ errors: [{ pointer: '/name' }] });
    await publish(scientist, slug, 'fixed', '2', hello.original).expect(201);
  });

  it('published twice at the same moment exist once', async () => {
    const { slug, scientist } = await aProject(gleaner);
    const answers = await Promise.all([
      publish(scientist, slug, 'racing', '1', hello.original),
      publish(scientist, slug, 'racing', '1', hello.original),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
  });

  it('may have two first versions at the same moment', async () => {
    const { slug, scientist } = await aProject(gleaner);
    // What the other version has done so far.
    await using rival = await Rival.holding(
      gleaner.dataSource,
      "INSERT INTO app (project_id, name) SELECT id, 'twofold' FROM project WHERE slug = $1",
      [slug],
    );
    const second = (async () => await publish(scientist, slug, 'twofold', '2', hello.original))();
    await rival.isWaitedForBy(1);
    await rival.commit();
    expect((await second).status).toBe(201);
  });

  it('are refused with rule and byte offset, and leave nothing behind', async () => {
    const { slug, scientist } = await aProject(gleaner);
    for (const bytes of [Buffer.alloc(0), Buffer.from('not wasm'), hello.original.subarray(0, 60)]) {
      const response = await publish(scientist, slug, 'broken', '1', bytes).expect(422);
      const refusal = problem.parse(response.body);
      expect(refusal.code).toBe('module-refused');
      expect(refusal.errors?.[0]).toMatchObject({
        pointer: '',
        rule: expect.stringMatching(/^[a-z-]+$/) as string,
        detail: expect.stringMatching(/^[a-z-]+: /) as string,
      });
    }
    await gleaner.http.get('/v1/apps/broken/versions/1').expect(404);
  });

  it('are accepted only as WebAssembly, within the size limit, from scientists of the project', async () => {
    const { slug, scientist } = await aProject(gleaner);
    const address = `/v1/apps?project=${slug}&name=strict&version=1`;
    await scientist.post(address).send({ module: 'x' }).expect(415);
    const oversized = await scientist
      .post(address)
      .set('content-type', 'application/wasm')
      .set('content-length', String(LIMITS.moduleBytes + 1))
      .send(Buffer.alloc(16))
      .catch((error: unknown) => error);
    // The server answers before the body has come; a client may see the answer or the closed connection.
    expect(oversized instanceof Error || (oversized as { status: number }).status === 413).toBe(true);
    const stranger = await aPerson(gleaner);
    await publish(stranger, slug, 'strict', '1', hello.original).expect(403);
    await gleaner.http.post(address).set('content-type', 'application/wasm').send('x').expect(401);
    const unnamed = await scientist
      .post(`/v1/apps?project=${slug}&name=Not%20A%20Slug&version=1`)
      .set('content-type', 'application/wasm')
      .send(Buffer.from(hello.original))
      .expect(400);
    expect(problem.parse(unnamed.body).errors?.[0]?.pointer).toContain('name');
    const unapproved = await aProject(gleaner, { approved: false });
    const early = await publish(unapproved.scientist, unapproved.slug, 'early', '1', hello.original).expect(
      403,
    );
    expect(early.body).toMatchObject({ code: 'project-not-approved' });
  });

  it('are listed for everybody, newest first', async () => {
    const { slug, scientist } = await aProject(gleaner);
    for (const version of ['1', '2', '3']) {
      await publish(scientist, slug, 'listed', version, hello.original).expect(201);
    }
    const page = appVersionPage.parse((await gleaner.http.get('/v1/apps?limit=2').expect(200)).body);
    expect(page.items.map(({ app, version }) => `${app}@${version}`)).toEqual(['listed@3', 'listed@2']);
    const next = await gleaner.http.get(`/v1/apps?limit=1&cursor=${page.nextCursor ?? ''}`).expect(200);
    expect(appVersionPage.parse(next.body).items[0]?.version).toBe('1');
  });
});
