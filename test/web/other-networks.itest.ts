import { publicJobView } from '@gleaner/protocol';
import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromiumOrWarn } from './browser.js';
import { heading, pagesOf, showsBoard } from './pages.js';
import { signInAs } from './people-pages.js';
import { aSetiJob, type SetiJob } from './seti-job.js';
import { Website } from './website.js';

const chromiumPath = chromiumOrWarn();
const AWAY = 'The coordinator does not answer.';
const API = '**/v1/**';

/** What stands between a browser and the coordinator may answer in its place, and with a good status. */
const ANSWERS = {
  'the page of a hotel’s network': { contentType: 'text/html; charset=utf-8', body: '<h1>Welcome</h1>' },
  nothing: { contentType: 'application/json', headers: { 'content-length': '0' }, body: '' },
  'half of an answer': { contentType: 'application/json', body: '{"items":[{"id":"' },
} as const;

describe.skipIf(chromiumPath === null)('a page behind somebody else’s network', () => {
  let website: Website;
  let job: SetiJob;
  let page: Page;

  beforeAll(async () => {
    website = await Website.open(chromiumPath, { env: { GLEANER_ANONYMOUS_REQUESTS_PER_MINUTE: '10000' } });
    job = await aSetiJob(website.gleaner, { name: 'A night at Arecibo', units: 4, unitChirps: 2 });
  });
  afterAll(() => website?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    page = await website.browser.newPage();
  });
  afterEach(() => page.close());

  it.each(Object.entries(ANSWERS))(
    'says of %s that nobody answered, and goes on by itself',
    async (_, answer) => {
      await page.route(API, (route) => route.fulfill({ status: 200, ...answer }));
      for (const path of ['/', '/jobs', '/leaderboards', '/statistics', '/teams', `/jobs/${job.jobId}`]) {
        await page.goto(website.gleaner.url + path);
        await page.getByText(AWAY).waitFor();
        expect(await page.getByRole('link', { name: 'Leaderboards' }).first().isVisible(), path).toBe(true);
      }
      await page.unroute(API);
      await page.getByRole('heading', { name: 'A night at Arecibo' }).waitFor();
      await page.getByText(AWAY).waitFor({ state: 'detached' });
    },
  );

  it.each(Object.entries(ANSWERS))('does not take %s for signing in', async (_, answer) => {
    await page.goto(`${website.gleaner.url}/sign-in`);
    await page.route(API, (route) => route.fulfill({ status: 200, ...answer }));
    await page.getByLabel('E-mail address').fill('ada@example.org');
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'The coordinator could not be reached.' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/sign-in');
  });

  it.each([401, 403, 404, 500])(
    'does not take a proxy’s page with the status %d for the coordinator’s word',
    async (status) => {
      const { gleaner } = website;
      await page.goto(gleaner.url);
      await signInAs(gleaner, page, job.scientist);
      const refusal = { status, contentType: 'text/html', body: `<h1>${status}</h1>` };
      await page.goto(`${gleaner.url}/account`);
      await page.getByRole('heading', { name: 'My machines' }).waitFor();
      await page.route(API, (route) => route.fulfill(refusal));
      for (const path of ['/account', `/jobs/${job.jobId}`]) {
        await page.goto(gleaner.url + path);
        await page.getByText(AWAY).waitFor();
        expect(await page.getByRole('heading', { name: /nothing here|^Sign in/ }).count(), path).toBe(0);
      }
      await page.unroute(API);
      await page.getByRole('heading', { name: 'Who may see it' }).waitFor();
      await page.getByText(AWAY).waitFor({ state: 'detached' });
    },
  );

  it('says of a form that met only a proxy that nobody was reached', async () => {
    await page.route(API, (route) =>
      route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>502</h1>' }),
    );
    await page.goto(`${website.gleaner.url}/sign-in`);
    await page.getByLabel('E-mail address').fill('ada@example.org');
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'The coordinator could not be reached.' }).waitFor();
  });

  it('does not wait for ever for an answer that does not even begin', async () => {
    await page.clock.install();
    await page.goto(`${website.gleaner.url}/leaderboards`);
    for (const shown of showsBoard(page)) await shown.waitFor();
    const isAsked = page.waitForRequest(API);
    await page.route(API, neverAnswered);
    await page.clock.fastForward(3_000);
    await isAsked;
    await page.clock.fastForward(31_000);
    await page.getByText(AWAY).waitFor();
    await page.unroute(API);
    await page.clock.fastForward(11_000);
    await page.getByText(AWAY).waitFor({ state: 'detached' });
  });

  it('tells how a job goes on also where a proxy keeps its events to itself', async () => {
    await page.clock.install();
    const isFollowed = page.waitForRequest('**/events');
    await page.route('**/events', neverAnswered);
    await page.goto(`${website.gleaner.url}/jobs/${job.jobId}`);
    for (const shown of heading('Who helped')(page)) await shown.waitFor();
    await isFollowed;
    await job.scientist.post(`/v1/jobs/${job.jobId}/pause`).expect(200);
    await expect.poll(stateOfJob).toBe('paused');
    await page.clock.fastForward(46_000);
    await page.getByText('Paused', { exact: true }).waitFor();
    await job.scientist.post(`/v1/jobs/${job.jobId}/resume`).expect(200);
  });

  it('does nothing on any page that its own policy forbids', async () => {
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        console.info(`violated: ${violatedDirective} by ${blockedURI}`),
      );
    });
    const violations: string[] = [];
    page.on('console', (message) => {
      if (message.text().startsWith('violated:')) violations.push(`${page.url()} ${message.text()}`);
    });
    for (const { path, name } of pagesOf(job.jobId)) {
      await page.goto(website.gleaner.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect(violations, name).toEqual([]);
    }
  });

  /** As everybody may see it, which is a moment behind. */
  async function stateOfJob(): Promise<string> {
    const answer = await website.gleaner.http.get(`/v1/public/jobs/${job.jobId}`).expect(200);
    return publicJobView.parse(answer.body).job.state;
  }
});

function neverAnswered(_route: Route): void {
  // Held open until the page gives up.
}
