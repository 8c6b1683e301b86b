import { project, projectPage } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPerson,
  aProject,
  createTestApplication,
  operatorOf,
  type TestApplication,
} from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

describe('projects', () => {
  it('wait for approval, unseen by others until then', async () => {
    const { slug, scientist } = await aProject(gleaner, { approved: false });
    const stranger = await aPerson(gleaner);
    await stranger.get(`/v1/projects/${slug}`).expect(404);
    await gleaner.http.get(`/v1/projects/${slug}`).expect(404);
    expect(project.parse((await scientist.get(`/v1/projects/${slug}`).expect(200)).body).approved).toBe(
      false,
    );
    await scientist.post(`/v1/projects/${slug}/approval`).expect(403);
    await operatorOf(gleaner).post(`/v1/projects/${slug}/approval`).expect(200);
    await operatorOf(gleaner).post(`/v1/projects/${slug}/approval`).expect(200);
    expect(project.parse((await gleaner.http.get(`/v1/projects/${slug}`).expect(200)).body).approved).toBe(
      true,
    );
    const audit: unknown = await gleaner.dataSource.query(
      'SELECT action FROM audit_entry WHERE subject = $1',
      [`project ${slug}`],
    );
    expect(audit).toEqual([{ action: 'project.approve' }, { action: 'project.add-scientist' }]);
  });

  it('of one person wait for approval few at a time, however many are made at the same moment', async () => {
    const eve = await aPerson(gleaner);
    const make = async (n: number): Promise<number> =>
      (await eve.post('/v1/projects', { slug: `many-${n}`, name: 'Many' })).status;
    const statuses = await Promise.all(Array.from({ length: 14 }, (_, n) => make(n)));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([
      ...Array<number>(10).fill(201),
      ...Array<number>(4).fill(409),
    ]);
    const made = `many-${statuses.indexOf(201)}`;
    await operatorOf(gleaner).post(`/v1/projects/${made}/approval`).expect(200);
    expect(await make(14)).toBe(201);
    expect(await make(15)).toBe(409);
  });

  it('of operators are approved at once', async () => {
    const made = await operatorOf(gleaner).post('/v1/projects', { slug: 'operators', name: 'O' }).expect(201);
    expect(made.headers['location']).toBe('/v1/projects/operators');
    expect(made.body).toMatchObject({ approved: true });
  });

  it('have names of their own', async () => {
    const { slug, scientist } = await aProject(gleaner);
    const response = await scientist.post('/v1/projects', { slug, name: 'again' }).expect(409);
    expect(response.body).toMatchObject({ code: 'already-exists', errors: [{ pointer: '/slug' }] });
  });

  it('are edited only by who read the current version', async () => {
    const { slug, scientist } = await aProject(gleaner);
    const etag = String((await scientist.get(`/v1/projects/${slug}`)).headers['etag']);
    const edit = { description: 'Looks for signals' };
    await scientist.patch(`/v1/projects/${slug}`).send(edit).expect(428);
    await scientist.patch(`/v1/projects/${slug}`).set('if-match', etag).send(edit).expect(200);
    const late = await scientist
      .patch(`/v1/projects/${slug}`)
      .set('if-match', etag)
      .send({ name: 'X' })
      .expect(412);
    expect(late.body).toMatchObject({ code: 'precondition-failed' });
    expect((await scientist.get(`/v1/projects/${slug}`)).body).toMatchObject({ ...edit, name: slug });
    const stranger = await aPerson(gleaner);
    await stranger.patch(`/v1/projects/${slug}`).set('if-match', '*').send(edit).expect(404);
  });

  it('list what everybody, their scientists, and operators may see', async () => {
    const hidden = await aProject(gleaner, { approved: false });
    const open = await aProject(gleaner);
    const slugs = async (test: Promise<{ body: unknown }>) =>
      projectPage.parse((await test).body).items.map((item) => item.slug);
    const everybody = await slugs(gleaner.http.get('/v1/projects').expect(200));
    expect(everybody).toContain(open.slug);
    expect(everybody).not.toContain(hidden.slug);
    expect(await slugs(hidden.scientist.get('/v1/projects').expect(200))).toContain(hidden.slug);
    expect(await slugs(operatorOf(gleaner).get('/v1/projects').expect(200))).toContain(hidden.slug);
  });

  it('take scientists that exist', async () => {
    const { slug } = await aProject(gleaner);
    const ada = await aPerson(gleaner);
    const operator = operatorOf(gleaner);
    await operator.post(`/v1/projects/${slug}/scientists`, { accountId: ada.account.id }).expect(204);
    await operator.post(`/v1/projects/${slug}/scientists`, { accountId: ada.account.id }).expect(204);
    const unknown = await operator
      .post(`/v1/projects/${slug}/scientists`, { accountId: '99999999' })
      .expect(400);
    expect(unknown.body).toMatchObject({ errors: [{ pointer: '/accountId' }] });
    await operator.post('/v1/projects/no-such/scientists', { accountId: ada.account.id }).expect(404);
  });

  it.each([
    ['/v1/projects/Not%20A%20Slug', 400, '/slug'],
    ['/v1/projects?limit=0', 400, '/limit'],
    ['/v1/projects?limit=many', 400, '/limit'],
    ['/v1/projects?cursor=nonsense', 400, '/cursor'],
    ['/v1/projects?colour=red', 400, '/colour'],
  ])('refuse %s and name the parameter', async (path, status, pointer) => {
    const response = await gleaner.http.get(path).expect(status);
    expect(response.body).toMatchObject({ errors: [{ pointer }] });
  });
});
