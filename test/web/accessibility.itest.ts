import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { BoardKeeper } from '@gleaner/coordinator';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, type TestApplication } from '../support/index.js';
import { buildWebsite, chromiumOrWarn, openBrowser } from './browser.js';
import { openPage, pagesOf, THEMES } from './pages.js';
import { pagesOfPerson, SIGN_IN_PAGES, signInWith } from './people-pages.js';
import { aSetiJob } from './seti-job.js';

const chromiumPath = chromiumOrWarn();
const PHONE = { width: 360, height: 740 };

describe.skipIf(chromiumPath === null)('every page', () => {
  let gleaner: TestApplication;
  let browser: Browser;
  let jobId: string;
  let axe: string;
  let token: string;
  let ownPages: Awaited<ReturnType<typeof pagesOfPerson>>;

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
    ownPages = await pagesOfPerson(gleaner, token, 'n'.repeat(80));
    await gleaner.app.get(BoardKeeper).reconcile();
  });
  afterAll(async () => {
    await browser?.close();
    await gleaner?.close();
  });

  it.each(THEMES)('has nothing that axe objects to, in the %s theme', async (theme) => {
    const page = await browser.newPage();
    for (const { name, path } of [...pagesOf(jobId), ...SIGN_IN_PAGES]) {
      await openPage(page, gleaner.url + path, theme);
      expect(await violationsOf(page), `${name}, ${theme}`).toEqual([]);
    }
    await page.close();
  });

  it.each(THEMES)('nor anything on the pages of people and operators, in the %s theme', async (theme) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await signInWith(gleaner, context, token);
    for (const { name, path } of ownPages) {
      await openPage(page, gleaner.url + path, theme);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor({ state: 'detached' });
      await page.waitForLoadState('networkidle', { timeout: 1_000 }).catch(() => undefined);
      expect(await violationsOf(page), `${name}, ${theme}`).toEqual([]);
    }
    await signInWith(gleaner, context, gleaner.operatorToken);
    await page.evaluate(() => localStorage.clear());
    await openPage(page, `${gleaner.url}/operator`, theme);
    await page.getByRole('heading', { name: 'Waiting for a decision' }).waitFor();
    await page.getByText('Pause all work').click();
    expect(await violationsOf(page), `operator, ${theme}`).toEqual([]);
    await context.close();
  });

  it('fits a phone without scrolling sideways, whatever people are called', async () => {
    const page = await browser.newPage({ viewport: PHONE });
    const expectToFit = async (pages: ReadonlyArray<{ readonly name: string; readonly path: string }>) => {
      for (const { name, path } of pages) {
        await openPage(page, gleaner.url + path, 'light');
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(width, name).toBeLessThanOrEqual(PHONE.width);
      }
    };
    await expectToFit([...pagesOf(jobId), ...SIGN_IN_PAGES]);
    await signInWith(gleaner, page.context(), token);
    await expectToFit(ownPages);
    await signInWith(gleaner, page.context(), gleaner.operatorToken);
    await page.evaluate(() => localStorage.clear());
    await expectToFit([{ name: 'operator', path: '/operator' }]);
    await page.close();
  });

  it('answers forged ids with a page that says there is nothing', async () => {
    const page = await browser.newPage();
    for (const id of ['0', '999999999', '%2e%2e%2fv1', '1%20OR%201=1']) {
      for (const path of ['jobs', 'teams']) {
        await openPage(page, `${gleaner.url}/${path}/${id}`, 'light');
        await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
      }
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
