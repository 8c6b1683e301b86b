import { team as teamSchema } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, seedJob, type TestApplication } from '../support/index.js';
import { buildWebsite } from './browser.js';

describe('a link to a page, where nobody runs its scripts,', () => {
  let gleaner: TestApplication;
  let plain: string;

  beforeAll(async () => {
    buildWebsite();
    gleaner = await createTestApplication();
    plain = await read('/account');
  });
  afterAll(() => gleaner?.close());

  async function read(path: string): Promise<string> {
    return (await gleaner.http.get(path).set('accept', 'text/html').expect(200)).text;
  }

  /** The page once it has a preview: a busy coordinator sends the page without one rather than late. */
  async function previewOf(path: string): Promise<string> {
    let page = plain;
    await expect.poll(async () => (page = await read(path))).not.toBe(plain);
    return page;
  }

  /** A private job whose name and project are what somebody has written. */
  async function aJob(): Promise<number> {
    const { account } = await aPerson(gleaner);
    const { jobId } = await seedJob(gleaner.dataSource, { accountId: account.id, units: 1 });
    await gleaner.dataSource.query(
      `WITH named AS (UPDATE job SET name = 'One <b>night', is_public = false WHERE id = $1 RETURNING project_id)
       UPDATE project SET name = 'Sky "watch"', description = 'We listen.' WHERE id = (SELECT project_id FROM named)`,
      [jobId],
    );
    return jobId;
  }

  it('says what everybody may know of a job, and nothing of a private one or one that is not there', async () => {
    const jobId = await aJob();
    expect(await read(`/jobs/${jobId}`)).toBe(plain);
    expect(await read('/jobs/999999')).toBe(plain);
    await gleaner.dataSource.query('UPDATE job SET is_public = true WHERE id = $1', [jobId]);
    const page = await previewOf(`/jobs/${jobId}?utm=1`);
    expect(page).toContain('<title>One &lt;b&gt;night · Gleaner</title>');
    const said = 'A job of Sky &quot;watch&quot;, computed by volunteers. We listen.';
    expect(page).toContain(`<meta name="description" content="${said}" />`);
    expect(page).toContain(`<meta property="og:description" content="${said}" />`);
    await gleaner.dataSource.query('UPDATE job SET is_public = false WHERE id = $1', [jobId]);
    await expect.poll(() => read(`/jobs/${jobId}`)).toBe(plain);
  });

  it('says what a team says of itself', async () => {
    const keeper = await aPerson(gleaner);
    const founded = await keeper.post('/v1/teams', { name: 'Night owls', description: 'Hoo.' }).expect(201);
    const page = await previewOf(`/teams/${teamSchema.parse(founded.body).id}`);
    expect(page).toContain('<title>Night owls · Gleaner</title>');
    expect(page).toContain('content="A team of volunteers. Hoo."');
    expect(await read('/teams/999999')).toBe(plain);
  });

  it('says what the leaderboards are, and is no page of the API', async () => {
    expect(await read('/leaderboards?period=rac')).toContain('<title>Leaderboards · Gleaner</title>');
    const { headers } = await gleaner.http.get('/leaderboards').set('accept', 'text/html').expect(200);
    expect(headers).toMatchObject({
      'cache-control': 'no-cache',
      'content-type': 'text/html; charset=utf-8',
    });
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    await gleaner.http.get('/jobs/1').set('accept', 'application/json').expect(404);
  });

  it('leads to the page all the same while the database does not answer', async () => {
    const jobId = await aJob();
    await gleaner.dataSource.query('UPDATE job SET is_public = true WHERE id = $1', [jobId]);
    const rival = gleaner.dataSource.createQueryRunner();
    await rival.connect();
    await rival.startTransaction();
    await rival.query('LOCK TABLE job');
    try {
      expect(await read(`/jobs/${jobId}`)).toBe(plain);
    } finally {
      await rival.rollbackTransaction();
      await rival.release();
    }
    await expect.poll(() => read(`/jobs/${jobId}`)).toContain('One &lt;b&gt;night');
  });
});
