/**
 * `npm run screenshots [-- FOLDER]`: every page, in both themes, on a desktop and on a phone, of a demo that is computing
 * and of the volunteer's page while it computes too. Without a FOLDER into .gleaner/screenshots.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { publicJobPage, type PublicJob } from '@gleaner/protocol';
import type { Browser, Page } from 'playwright-core';
import { findChromium } from '../determinism/browser-sandbox.js';
import { openBrowser } from './browser.js';
import { repositoryRoot } from './repository-root.js';
import { openPage, pagesOf, THEMES } from './pages.js';

const SIZES = {
  desktop: { width: 1280, height: 860 },
  phone: { width: 390, height: 844 },
} as const;
/** Far enough that there is something of everything to see. */
const SHOWN_FROM_PERMILLE = 200;
const WATERFALL_ROWS = 90;
const WATERFALL_MS = 20_000;
const PATIENCE_MS = 180_000;

async function main(): Promise<void> {
  const chromium = findChromium();
  if (chromium === null) throw new Error('no Chromium: install it (Debian: apt-get install chromium)');
  const folder = resolve(process.argv[2] ?? join('.gleaner', 'screenshots'));
  await mkdir(folder, { recursive: true });
  const demo = startDemo();
  try {
    const url = await addressOf(demo);
    const browser = await openBrowser(chromium);
    const job = await jobInProgress(url);
    for (const theme of THEMES) {
      for (const size of ['desktop', 'phone'] as const)
        await shootAll(browser, { url, job, theme, size, folder });
    }
    await browser.close();
  } finally {
    demo.kill('SIGTERM');
  }
}

interface Shot {
  readonly url: string;
  readonly job: PublicJob;
  readonly theme: (typeof THEMES)[number];
  readonly size: keyof typeof SIZES;
  readonly folder: string;
}

async function shootAll(browser: Browser, { url, job, theme, size, folder }: Shot): Promise<void> {
  const page = await browser.newPage({ viewport: SIZES[size], deviceScaleFactor: size === 'phone' ? 2 : 1 });
  for (const { name, path } of pagesOf(job.id)) {
    await openPage(page, url + path, theme);
    if (name === 'volunteer') await computeForAWhile(page);
    const target = join(folder, `${name}-${theme}-${size}.png`);
    await page.screenshot({ path: target, fullPage: true });
    process.stderr.write(`${target}\n`);
    if (name === 'volunteer') await page.getByRole('button', { name: 'Stop' }).click();
  }
  await page.close();
}

async function computeForAWhile(page: Page): Promise<void> {
  await page.getByRole('slider', { name: 'Time of a core' }).fill('100');
  await page.getByRole('button', { name: 'Start computing' }).click();
  const picture = page.getByRole('img', { name: 'Waterfall' });
  const untilMs = Date.now() + WATERFALL_MS;
  while (Date.now() < untilMs && Number(await picture.getAttribute('data-rows')) < WATERFALL_ROWS) {
    await page.waitForTimeout(200);
  }
}

function startDemo(): ChildProcess {
  const program = join(repositoryRoot(), 'apps', 'cli', 'dist', 'main.js');
  return spawn(process.execPath, [program, 'demo', '--chirp', '-1600:1600', '--units', '160'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

function addressOf(demo: ChildProcess): Promise<string> {
  const { promise, resolve: found, reject } = Promise.withResolvers<string>();
  // Read to its end: a demo whose stderr is closed cannot go on.
  if (demo.stderr) {
    createInterface(demo.stderr).on('line', (line) => {
      const url = /serves at (\S+)/.exec(line)?.[1];
      if (url !== undefined) found(url);
    });
  }
  demo.once('exit', () => reject(new Error('the demo ended before it served')));
  return promise;
}

async function jobInProgress(url: string): Promise<PublicJob> {
  const untilMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(new URL('/v1/public/jobs', url));
    const [job] = publicJobPage.parse(await answer.json()).items;
    if (job && (job.progressPermille >= SHOWN_FROM_PERMILLE || Date.now() > untilMs)) return job;
    await new Promise((done) => setTimeout(done, 500));
  }
}

await main();
