import { type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chromiumOrWarn } from './browser.js';
import { aSetiJob } from './seti-job.js';
import { Website } from './website.js';

const chromiumPath = chromiumOrWarn();
const IS_GONE = { status: 404, contentType: 'application/problem+json', body: '{}' } as const;

describe.skipIf(chromiumPath === null)('a browser in which not everything is as usual', () => {
  let website: Website;
  let url: string;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    website = await Website.open(chromiumPath);
    ({ url } = website.gleaner);
    await aSetiJob(website.gleaner, { name: 'A night at Arecibo', units: 40, unitChirps: 2 });
  });
  afterAll(() => website?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    context = await website.browser.newContext();
    page = await context.newPage();
  });
  afterEach(() => context.close());

  it('takes no task where what computes is of a version that the site has no more, and says what to do', async () => {
    const before = await hosts();
    await page.goto(`${url}/volunteer`);
    await page.route('**/assets/worker-*', (route) => route.fulfill(IS_GONE));
    await page.getByRole('button', { name: 'Start computing' }).click();
    await page.getByText('its program could not be loaded').waitFor();
    await page.getByText('Load it anew, then start again.').waitFor();
    expect(await hosts()).toBe(before);
    await page.unroute('**/assets/worker-*');
    await page.reload();
    await page.getByRole('button', { name: 'Start computing' }).click();
    await page.getByText(/^You compute without a name, as machine/).waitFor();
  });

  it('leads on from a page of which a part is gone with the version that it is of', async () => {
    await page.goto(url);
    await page.route('**/assets/chart-*', (route) => route.fulfill(IS_GONE));
    await page.getByRole('link', { name: 'Statistics' }).first().click();
    await page.getByRole('heading', { name: 'This page cannot be shown' }).waitFor();
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByRole('link', { name: 'A night at Arecibo' }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Load the page anew' }).waitFor();
    await page.unroute('**/assets/chart-*');
    await page.getByRole('button', { name: 'Load the page anew' }).click();
    await page.locator('canvas').first().waitFor();
  });

  async function hosts(): Promise<number> {
    const counted: unknown = await website.gleaner.dataSource.query('SELECT count(*)::int AS n FROM host');
    return z.array(z.object({ n: z.number() })).parse(counted)[0]?.n ?? 0;
  }
});
