/**
 * `npm run screenshots [-- FOLDER]`: every page, in both themes, on a desktop and on a phone, of an installation with a
 * past, a running job, and the volunteer's page while it computes too. Without a FOLDER into .gleaner/screenshots.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { account, deviceCode } from '@gleaner/protocol';
import type { Browser, Page } from 'playwright-core';
import { findChromium } from '../determinism/browser-sandbox.js';
import { readCommandLine } from '../support/command-line.js';
import { openBrowser } from './browser.js';
import {
  heading,
  openPage,
  openWhole,
  pagesOf,
  showsBoard,
  THEMES,
  type NamedPage,
  type Theme,
} from './pages.js';
import { ACCOUNT, OPERATOR, SETTINGS, SIGN_IN_PAGES, teamPage, TEAMS } from './people-pages.js';
import { Showcase } from './showcase/showcase.js';

const SIZES = {
  desktop: { width: 1280, height: 860 },
  phone: { width: 390, height: 844 },
} as const;
/** Far enough that there is something of everything to see. */
const SHOWN_FROM_PERMILLE = 30;
/** As many as the picture has. */
const WATERFALL_ROWS = 200;
const WATERFALL_MS = 45_000;
/** The first that the ledger's people have founded. */
const TEAM_ID = '1';
const POLL_MS = 500;

async function main(): Promise<void> {
  const { positionals } = readCommandLine({
    start: 'npm run screenshots',
    purpose:
      'Pictures of every page, in both themes, on a desktop and on a phone, in FOLDER or .gleaner/screenshots.',
    positional: '[FOLDER]',
    options: {},
  });
  const chromium = findChromium();
  if (chromium === null) throw new Error('no Chromium: install it (Debian: apt-get install chromium)');
  const folder = resolve(positionals[0] ?? join('.gleaner', 'screenshots'));
  await mkdir(folder, { recursive: true });
  await using showcase = await Showcase.start();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void showcase[Symbol.asyncDispose]().finally(() => process.exit(1)));
  }
  note(`An installation to look at: ${showcase.url}`);
  const runningJobId = await showcase.beginLongSearch();
  await showcase.science.reached(
    runningJobId,
    ({ progressPermille }) => progressPermille >= SHOWN_FROM_PERMILLE,
  );
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
  readonly theme: Theme;
  readonly size: keyof typeof SIZES;
  readonly folder: string;
}

async function shootAll(browser: Browser, shot: Shot): Promise<void> {
  const context = await browser.newContext({
    viewport: SIZES[shot.size],
    deviceScaleFactor: shot.size === 'phone' ? 2 : 1,
  });
  const page = await context.newPage();
  const camera: Camera = {
    page,
    async shoot(name) {
      const path = join(shot.folder, `${name}-${shot.theme}-${shot.size}.png`);
      await page.screenshot({ path, fullPage: true });
      note(path);
    },
    async visit(named) {
      await openWhole(page, shot.showcase.url, named, shot.theme);
      await this.shoot(named.name);
    },
  };
  await shootAsVisitor(camera, shot);
  await shootAsScientist(camera, shot);
  await shootAsVolunteer(camera, shot);
  await shootAsNewcomer(camera, shot);
  await signIn(page, shot.showcase.url, shot.showcase.science.operatorToken);
  await camera.visit(OPERATOR);
  await context.close();
}

interface Camera {
  readonly page: Page;
  readonly shoot: (name: string) => Promise<void>;
  readonly visit: (named: NamedPage) => Promise<void>;
}

async function shootAsVisitor(camera: Camera, { showcase, runningJobId, theme }: Shot): Promise<void> {
  const { page } = camera;
  const pages = [...pagesOf(runningJobId), ...SIGN_IN_PAGES, teamPage(TEAM_ID)];
  for (const named of pages) await camera.visit(named);
  await page.goto(`${showcase.url}/volunteer`);
  await computeForAWhile(page);
  await camera.shoot('volunteering');
  await page.getByRole('button', { name: 'Stop' }).click();
  await openPage(page, `${showcase.url}/jobs/${showcase.finishedJobId}`, theme);
  await page.getByRole('img', { name: 'Waterfall of' }).waitFor();
  await camera.shoot('job-found');
}

async function shootAsScientist(camera: Camera, { showcase, theme }: Shot): Promise<void> {
  const { page } = camera;
  await signIn(page, showcase.url, showcase.science.scientist.token);
  await camera.visit({
    name: 'job-own',
    path: `/jobs/${showcase.finishedJobId}`,
    shows: heading('What was found', 'Who may see it'),
  });
  await openPage(page, `${showcase.url}/jobs/${showcase.failedJobId}`, theme);
  await page
    .getByText(/^Unit \d/)
    .first()
    .click();
  await camera.shoot('job-failed');
}

async function shootAsVolunteer(camera: Camera, { showcase }: Shot): Promise<void> {
  const { page } = camera;
  await signIn(page, showcase.url, showcase.volunteers[0] ?? '');
  await camera.visit({ name: 'own-place', path: '/leaderboards?period=rac', shows: showsBoard });
  await camera.visit({ ...teamPage(TEAM_ID), name: 'own-team' });
  await camera.visit({ ...ACCOUNT, name: 'volunteer-account' });
  await page.getByRole('heading', { level: 3 }).getByRole('link').first().click();
  await page.getByRole('heading', { name: 'Its tasks' }).waitFor();
  await camera.shoot('machine');
}

/** Somebody who has just signed up, with a password, and whose machine waits to be approved. */
async function shootAsNewcomer(camera: Camera, { showcase: { url }, theme, size }: Shot): Promise<void> {
  const { page } = camera;
  const email = `${theme}.${size}@example.org`;
  await page.context().clearCookies();
  await beginSession(page, `${url}/v1/session/sign-up`, {
    data: { name: 'Aurélie', email, password: 'correct horse battery' },
  });
  await camera.visit({ ...ACCOUNT, name: 'newcomer-account' });
  await camera.visit({ ...TEAMS, name: 'newcomer-teams' });
  const host = { name: 'Kitchen PC', kind: 'agent', cores: 8, memoryMiB: 16_384, platform: 'linux-x64' };
  const asked = await page.context().request.post(`${url}/v1/device/code`, { data: { host } });
  const { userCode } = deviceCode.parse(await asked.json());
  await openPage(page, `${url}/activate?code=${userCode}`, theme);
  await page.getByRole('heading', { name: host.name }).waitFor();
  await camera.shoot('newcomer-activate');
  await openWhole(page, url, SETTINGS, theme);
  await page.getByRole('heading', { name: 'E-mail address' }).waitFor();
  await page.getByRole('button', { name: 'Delete my account' }).click();
  await camera.shoot('newcomer-settings');
}

async function signIn(page: Page, url: string, token: string): Promise<void> {
  await beginSession(page, `${url}/v1/session/token`, { headers: { authorization: `Bearer ${token}` } });
}

async function beginSession(
  page: Page,
  address: string,
  options: { readonly headers?: Record<string, string>; readonly data?: object },
): Promise<void> {
  const answer = await page.context().request.post(address, options);
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

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

await main();
