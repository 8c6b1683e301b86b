import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { BoardKeeper } from '@gleaner/coordinator';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, type TestApplication } from '../support/index.js';
import { buildWebsite, chromiumOrWarn, openBrowser } from './browser.js';
import { openPage, pagesOf, THEMES } from './pages.js';
import { aSetiJob } from './seti-job.js';

const chromiumPath = chromiumOrWarn();
const PHONE = { width: 360, height: 740 };

describe.skipIf(chromiumPath === null)('every page', () => {
  let gleaner: TestApplication;
  let browser: Browser;
  let jobId: string;
  let axe: string;
  let token: string;

  beforeAll(async () => {
    buildWebsite();
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    gleaner = await createTestApplication();
    browser = await openBrowser(chromiumPath ?? '');
    ({ jobId } = await aSetiJob(gleaner, { name: 'A night at Arecibo', units: 40, unitChirps: 2 }));
    // Names are others' to choose: markup, emoji, right-to-left text and no spaces at all.
    for (const [index, name] of [
      '<img src=x onerror=alert(1)>',
      '🌾🌾🌾',
      'متطوع',
      'n'.repeat(80),
    ].entries()) {
      const { account, token: secret } = await aPerson(gleaner, { name });
      token = secret;
      await gleaner.dataSource.query(
        'INSERT INTO account_credit (account_id, cycles, tasks) VALUES ($1, $2, 3)',
        [account.id, String(10n ** BigInt(12 + 3 * index))],
      );
    }
    await gleaner.app.get(BoardKeeper).reconcile();
  });
  afterAll(async () => {
    await browser?.close();
    await gleaner?.close();
  });

  it.each(THEMES)('has nothing that axe objects to, in the %s theme', async (theme) => {
    const page = await browser.newPage();
    for (const { name, path } of pagesOf(jobId)) {
      await openPage(page, gleaner.url + path, theme);
      expect(await violationsOf(page), `${name}, ${theme}`).toEqual([]);
    }
    await page.evaluate((secret) => localStorage.setItem('gleaner.token', secret), token);
    await openPage(page, `${gleaner.url}/account`, theme);
    expect(await violationsOf(page), `account, signed in, ${theme}`).toEqual([]);
    await page.close();
  });

  it('fits a phone without scrolling sideways, whatever people are called', async () => {
    const page = await browser.newPage({ viewport: PHONE });
    for (const { name, path } of pagesOf(jobId)) {
      await openPage(page, gleaner.url + path, 'light');
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, name).toBeLessThanOrEqual(PHONE.width);
    }
    await page.close();
  });

  it('says so while the coordinator is away, and goes on by itself', async () => {
    const page = await browser.newPage();
    await openPage(page, `${gleaner.url}/leaderboards`, 'light');
    await page.route('**/v1/**', (route) => route.abort('connectionrefused'));
    await page.getByText('The coordinator does not answer.').waitFor();
    await page.unroute('**/v1/**');
    await page.getByText('The coordinator does not answer.').waitFor({ state: 'hidden' });
    await page.close();
  });

  it('answers forged ids with a page that says there is nothing', async () => {
    const page = await browser.newPage();
    for (const id of ['0', '999999999', '%2e%2e%2fv1', '1%20OR%201=1']) {
      await openPage(page, `${gleaner.url}/jobs/${id}`, 'light');
      await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    }
    await page.close();
  });

  /** What axe objects to, as rule and place. */
  async function violationsOf(page: Page): Promise<string[]> {
    // Through the debugger, not as a script of the page: its policy allows only the site's own.
    const results = (await page.evaluate(`${axe}; axe.run(document)`)) as AxeResults;
    return results.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} at ${String(target)}: ${failureSummary ?? ''}`),
    );
  }
});
