/**
 * `npm run budget -- [--json]`: gzip bytes that a visitor's first look at each route costs, and the longest task of its
 * main thread, with as much to show as a page ever shows, where a Chromium is found. Exit code 1 beyond the budget.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { findChromium } from '../determinism/browser-sandbox.js';
import { answerTo, VISITOR } from './budget-answers.js';
import { openBrowser } from './browser.js';
import { repositoryRoot } from './repository-root.js';

const BUDGET_BYTES = 150 * 1024;
/** A visitor notices from about 100 ms; a slower machine than ours needs room. */
const LONG_TASK_BUDGET_MS = 200;
const SETTLE_MS = 1_000;
/** The quickest counts: a busy machine makes tasks longer, nothing makes them shorter. It is looked for that often. */
const LOADS_MIN = 3;
const LOADS_MAX = 10;

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
  const known = readRoutes();
  const longest = await measureLongTasks(known.map(({ route }) => route));
  const routes = known.map(({ route, module }) => ({
    route,
    gzipBytes: gzipBytesOf(manifest, ['index.html', module]),
    longestTaskMs: longest?.get(route) ?? null,
  }));
  const first = routes.find(({ route }) => route === '/');
  const isWithin =
    (first?.gzipBytes ?? Number.POSITIVE_INFINITY) <= BUDGET_BYTES &&
    routes.every(({ longestTaskMs }) => (longestTaskMs ?? 0) <= LONG_TASK_BUDGET_MS);
  if (process.argv.includes('--json')) {
    const budget = { firstRouteGzipBytes: BUDGET_BYTES, longestTaskMs: LONG_TASK_BUDGET_MS };
    process.stdout.write(`${JSON.stringify({ budget, isWithin, routes })}\n`);
  } else {
    for (const { route, gzipBytes, longestTaskMs } of routes) {
      const tasks = longestTaskMs === null ? '' : `, longest task ${longestTaskMs} ms`;
      process.stdout.write(`${route.padEnd(22)} ${(gzipBytes / 1024).toFixed(1)} KiB${tasks}\n`);
    }
  }
  process.exitCode = isWithin ? 0 : 1;
}

interface Route {
  readonly route: string;
  /** What the manifest calls the module that it loads. */
  readonly module: string;
}

/** Every route of the router, each parameter set to 1: a route that is added is measured. */
function readRoutes(): Route[] {
  const router = readFileSync(join(repositoryRoot(), 'apps', 'web', 'src', 'router.tsx'), 'utf8');
  const routes = router
    .split('createRoute({')
    .slice(1)
    .map((text): Route => {
      const path = /path: '([^']+)'/.exec(text)?.[1];
      if (path === undefined) throw new Error(`router.tsx has a route without a path: ${text}`);
      const page = /import\('\.\/([^']+)'\)/.exec(text)?.[1];
      return {
        route: path.replaceAll(/\$\w+/g, '1'),
        module: page === undefined ? 'index.html' : `src/${page}.tsx`,
      };
    });
  if (routes.length === 0) throw new Error('router.tsx has no routes that this program can read');
  return routes;
}

/** All scripts and styles that the entries need before they can show anything, each counted once. */
function gzipBytesOf(manifest: Manifest, entries: readonly string[]): number {
  const files = new Set<string>(['index.html', 'theme.js']);
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
      let quickest = Number.POSITIVE_INFINITY;
      for (let load = 0; load < LOADS_MAX; load += 1) {
        if (load >= LOADS_MIN && quickest <= LONG_TASK_BUDGET_MS) break;
        quickest = Math.min(quickest, await longestTaskOf(browser, `http://127.0.0.1:${port}${route}`));
      }
      longest.set(route, Math.round(quickest));
    }
    return longest;
  } finally {
    await browser.close();
    server.close();
  }
}

async function longestTaskOf(browser: Browser, url: string): Promise<number> {
  const page = await browser.newPage();
  await page.addInitScript((visitor) => {
    const tasks: number[] = [];
    Object.assign(globalThis, { longTasks: tasks });
    localStorage.setItem('gleaner.session', visitor);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) tasks.push(entry.duration);
    }).observe({ type: 'longtask', buffered: true });
  }, VISITOR);
  await page.goto(url);
  await page.waitForTimeout(SETTLE_MS);
  const tasks = z.array(z.number()).parse(await page.evaluate('longTasks'));
  await page.close();
  return Math.max(0, ...tasks);
}

/** The site, and in the place of a coordinator what one with much to tell would answer. */
function serveSite(): Server {
  return createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (path.startsWith('/v1/')) {
      const answer = answerTo(path);
      const status = answer === undefined ? 404 : 200;
      response.writeHead(status, { 'content-type': 'application/json', etag: '"1"' }).end(answer ?? '{}');
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
