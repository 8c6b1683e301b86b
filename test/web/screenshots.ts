/**
 * `npm run screenshots [-- FOLDER]`: every page, in both themes, on a desktop and on a phone, of an installation with a
 * past, a running job, and the volunteer's page while it computes too. Without a FOLDER into .gleaner/screenshots.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { account } from '@gleaner/protocol';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { findChromium } from '../determinism/browser-sandbox.js';
import { openBrowser } from './browser.js';
import { openPage, ownPagesOf, pagesOf, THEMES } from './pages.js';
import { SIGN_IN_PAGES } from './people-pages.js';
import type { Science } from './showcase/science.js';
import { Showcase } from './showcase/showcase.js';

const SIZES = {
  desktop: { width: 1280, height: 860 },
  phone: { width: 390, height: 844 },
} as const;
/** Far enough that there is something of everything to see. */
const SHOWN_FROM_PERMILLE = 30;
const WATERFALL_ROWS = 90;
const WATERFALL_MS = 20_000;
const PATIENCE_MS = 600_000;
const POLL_MS = 500;

async function main(): Promise<void> {
  const chromium = findChromium();
  if (chromium === null) throw new Error('no Chromium: install it (Debian: apt-get install chromium)');
  const folder = resolve(process.argv[2] ?? join('.gleaner', 'screenshots'));
  await mkdir(folder, { recursive: true });
  await using showcase = await Showcase.start();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void showcase[Symbol.asyncDispose]().finally(() => process.exit(1)));
  }
  note(`An installation to look at: ${showcase.url}`);
  await progressReached(showcase.science, showcase.finishedJobId, 1000);
  const runningJobId = await showcase.beginLongSearch();
  await progressReached(showcase.science, runningJobId, SHOWN_FROM_PERMILLE);
  const browser = await openBrowser(chromium);
  for (const theme of THEMES) {
    for (const size of ['desktop', 'phone'] as const)
      await shootAll(browser, { showcase, runningJobId, theme, size, folder });
  }
  await browser.close();
}

interface Shot {
  readonly showcase: Showcase;
  readonly runningJobId: string;
  readonly theme: (typeof THEMES)[number];
  readonly size: keyof typeof SIZES;
  readonly folder: string;
}

async function shootAll(
  browser: Browser,
  { showcase, runningJobId, theme, size, folder }: Shot,
): Promise<void> {
  const context = await browser.newContext({
    viewport: SIZES[size],
    deviceScaleFactor: size === 'phone' ? 2 : 1,
  });
  const page = await context.newPage();
  const shoot = async (name: string): Promise<void> => {
    const path = join(folder, `${name}-${theme}-${size}.png`);
    await page.screenshot({ path, fullPage: true });
    note(path);
  };
  const { url, finishedJobId } = showcase;
  for (const { name, path } of [
    ...pagesOf(runningJobId),
    ...SIGN_IN_PAGES,
    { name: 'team', path: '/teams/1' },
  ]) {
    await openPage(page, url + path, theme);
    if (name === 'volunteer') await computeForAWhile(page);
    await shoot(name);
    if (name === 'volunteer') await page.getByRole('button', { name: 'Stop' }).click();
  }
  await openPage(page, `${url}/jobs/${finishedJobId}`, theme);
  await page.getByRole('img', { name: 'Waterfall of' }).waitFor();
  await shoot('job-found');
  await signIn(context, page, url, showcase.science.scientist.token);
  for (const { name, path } of [
    ...ownPagesOf(),
    { name: 'settings', path: '/account/settings' },
    { name: 'job-own', path: `/jobs/${finishedJobId}` },
  ]) {
    await openPage(page, url + path, theme);
    await shoot(name);
  }
  await signIn(context, page, url, showcase.volunteers[0] ?? '');
  await openPage(page, `${url}/account`, theme);
  await shoot('volunteer-account');
  await page.getByRole('heading', { level: 3 }).getByRole('link').first().click();
  await page.getByRole('heading', { name: 'Its tasks' }).waitFor();
  await shoot('machine');
  await signIn(context, page, url, showcase.science.operatorToken);
  await openPage(page, `${url}/operator`, theme);
  await page.getByRole('heading', { name: 'Waiting for a decision' }).waitFor();
  await shoot('operator');
  await context.close();
}

async function signIn(context: BrowserContext, page: Page, url: string, token: string): Promise<void> {
  const answer = await context.request.post(`${url}/v1/session/token`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
  const { id } = account.parse(await answer.json());
  await page.evaluate((accountId) => localStorage.setItem('gleaner.session', accountId), id);
}

async function computeForAWhile(page: Page): Promise<void> {
  await page.getByRole('slider', { name: 'Time of a core' }).fill('100');
  await page.getByRole('button', { name: 'Start computing' }).click();
  const picture = page.getByRole('img', { name: 'Waterfall' });
  const untilMs = Date.now() + WATERFALL_MS;
  while (Date.now() < untilMs && Number(await picture.getAttribute('data-rows')) < WATERFALL_ROWS) {
    await page.waitForTimeout(POLL_MS);
  }
}

async function progressReached(science: Science, jobId: string, permille: number): Promise<void> {
  const untilMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const progress = await science.progressOf(jobId);
    if (progress >= permille) return;
    if (Date.now() > untilMs) throw new Error(`too slow: job ${jobId} is at ${progress} of 1000`);
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

await main();
