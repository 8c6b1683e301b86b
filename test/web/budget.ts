/**
 * `npm run budget -- [--json]`: gzip bytes that a visitor's first look at each route costs, and the longest task of its
 * main thread where a Chromium is found. Exit code 1 beyond the budget.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { findChromium } from '../determinism/browser-sandbox.js';
import { openBrowser } from './browser.js';
import { repositoryRoot } from './repository-root.js';

const BUDGET_BYTES = 150 * 1024;
/** A visitor notices from about 100 ms; a slower machine than ours needs room. */
const LONG_TASK_BUDGET_MS = 200;
const SETTLE_MS = 1_000;
/** The quickest of these counts: a busy machine makes tasks longer, nothing makes them shorter. */
const LOADS = 3;

const ROUTES: Readonly<Record<string, string>> = {
  '/': 'index.html',
  '/volunteer': 'src/pages/volunteer-page.tsx',
  '/leaderboards': 'src/pages/leaderboards-page.tsx',
  '/statistics': 'src/pages/statistics-page.tsx',
  '/jobs': 'src/pages/jobs-page.tsx',
  '/jobs/1': 'src/pages/job-page.tsx',
  '/account': 'src/pages/account-page.tsx',
};
const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};

const manifestSchema = z.record(
  z.string(),
  z.object({
    file: z.string(),
    imports: z.array(z.string()).default([]),
    css: z.array(z.string()).default([]),
  }),
);
type Manifest = z.infer<typeof manifestSchema>;

const site = join(repositoryRoot(), 'apps', 'web', 'dist', 'site');

async function main(): Promise<void> {
  const manifest = manifestSchema.parse(
    JSON.parse(readFileSync(join(site, '.vite', 'manifest.json'), 'utf8')),
  );
  const longest = await measureLongTasks(Object.keys(ROUTES));
  const routes = Object.entries(ROUTES).map(([route, module]) => ({
    route,
    gzipBytes: gzipBytesOf(manifest, ['index.html', module]),
    longestTaskMs: longest?.get(route) ?? null,
  }));
  const [first] = routes;
  const isWithin =
    (first?.gzipBytes ?? Number.POSITIVE_INFINITY) <= BUDGET_BYTES &&
    routes.every(({ longestTaskMs }) => (longestTaskMs ?? 0) <= LONG_TASK_BUDGET_MS);
  if (process.argv.includes('--json')) {
    const budget = { firstRouteGzipBytes: BUDGET_BYTES, longestTaskMs: LONG_TASK_BUDGET_MS };
    process.stdout.write(`${JSON.stringify({ budget, isWithin, routes })}\n`);
  } else {
    for (const { route, gzipBytes, longestTaskMs } of routes) {
      const tasks = longestTaskMs === null ? '' : `, longest task ${longestTaskMs} ms`;
      process.stdout.write(`${route.padEnd(14)} ${(gzipBytes / 1024).toFixed(1)} KiB${tasks}\n`);
    }
  }
  process.exitCode = isWithin ? 0 : 1;
}

/** All scripts and styles that the entries need before they can show anything, each counted once. */
function gzipBytesOf(manifest: Manifest, entries: readonly string[]): number {
  const files = new Set<string>(['index.html']);
  const visit = (name: string): void => {
    const chunk = manifest[name];
    if (!chunk) throw new Error(`the manifest has no ${name}: has the page been renamed?`);
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    for (const style of chunk.css) files.add(style);
    for (const dependency of chunk.imports) visit(dependency);
  };
  for (const entry of entries) visit(entry);
  return [...files].reduce(
    (sum, file) => sum + gzipSync(readFileSync(join(site, file)), { level: 9 }).length,
    0,
  );
}

/** Longest main-thread task of each route's first seconds, in milliseconds; null without a Chromium. */
async function measureLongTasks(routes: readonly string[]): Promise<Map<string, number> | null> {
  const chromium = findChromium();
  if (chromium === null) return null;
  const server = serveSite();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  const browser = await openBrowser(chromium);
  try {
    const longest = new Map<string, number>();
    for (const route of routes) {
      const loads: number[] = [];
      for (let load = 0; load < LOADS; load += 1) {
        loads.push(await longestTaskOf(browser, `http://127.0.0.1:${port}${route}`));
      }
      longest.set(route, Math.round(Math.min(...loads)));
    }
    return longest;
  } finally {
    await browser.close();
    server.close();
  }
}

async function longestTaskOf(browser: Browser, url: string): Promise<number> {
  const page = await browser.newPage();
  await page.addInitScript(() => {
    const tasks: number[] = [];
    Object.assign(globalThis, { longTasks: tasks });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) tasks.push(entry.duration);
    }).observe({ type: 'longtask', buffered: true });
  });
  await page.goto(url);
  await page.waitForTimeout(SETTLE_MS);
  const tasks = z.array(z.number()).parse(await page.evaluate('longTasks'));
  await page.close();
  return Math.max(0, ...tasks);
}

/** The site without a coordinator behind it: its API answers that there is nothing. */
function serveSite(): Server {
  return createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (path.startsWith('/v1/')) {
      response.writeHead(404, { 'content-type': 'application/problem+json' }).end('{}');
      return;
    }
    const type = TYPES[path.split('.').at(-1) ?? ''];
    const file = join(site, type === undefined ? 'index.html' : path);
    response.setHeader('content-type', type ?? 'text/html');
    createReadStream(file)
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
}

await main();
