import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { findChromium } from '../determinism/browser-sandbox.js';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A system Chromium's path; null, loudly, where there is none. */
export function chromiumOrWarn(): string | null {
  const path = findChromium();
  if (path === null) {
    process.stderr.write(
      `\n${'='.repeat(80)}\nSKIPPING THE WEBSITE'S TESTS: no Chromium; install it (Debian: apt-get install chromium).\n${'='.repeat(80)}\n\n`,
    );
  }
  return path;
}

/** Builds the site if it is not as its sources are, so that tests see what was written last. */
export function buildWebsite(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../apps/web/build.mjs', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** @param flags beyond those of every test */
export async function openBrowser(executablePath: string, flags: readonly string[] = []): Promise<Browser> {
  return await chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
}

/** Collects what a page's scripts complain about: a test ends by finding nothing. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return complaints;
}

/** As if another tab were looked at, or this one again. */
export async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}
