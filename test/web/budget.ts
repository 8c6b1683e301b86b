/**
 * `npm run budget -- [--json]`: what a visitor's first look at each route costs, with as much to show as a page ever shows:
 * gzip bytes, and in a Chromium how long its tasks keep the main thread. Exit code 1 where a route is beyond its limits, 3
 * where all is within them as far as can be told without a Chromium.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { findChromium } from '../determinism/browser-sandbox.js';
import { readCommandLine } from '../support/command-line.js';
import { answerTo, VISITOR } from './budget-answers.js';
import {
  EXIT_CODES,
  excessesOf,
  exitCodeOf,
  limitsOf,
  type RouteCost,
  type SeenCost,
} from './budget-limits.js';
import { openBrowser } from './browser.js';
import { repositoryRoot } from './repository-root.js';

const SETTLE_MS = 1_000;
/** The quickest counts: a busy machine makes tasks longer, nothing makes them shorter. It is looked for that often. */
const LOADS_MIN = 3;
const LOADS_MAX = 10;
/** A task that is longer keeps a click waiting. */
const LONG_TASK_MS = 50;

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
  const { values } = readCommandLine({
    start: 'npm run budget',
    purpose: "What a visitor's first look at each route costs, and whether that is within its limits.",
    options: { json: { type: 'boolean', default: false, help: 'print one line of JSON' } },
  });
  const manifest = manifestSchema.parse(
    JSON.parse(readFileSync(join(site, '.vite', 'manifest.json'), 'utf8')),
  );
  const known = readRoutes();
  const bytes = new Map(
    known.map(({ route, module }) => [route, gzipBytesOf(manifest, ['index.html', module])]),
  );
  const chromium = findChromium();
  const seen = chromium === null ? null : await lookAt(chromium, bytes);
  const costs = [...bytes].map(([route, gzipBytes]): RouteCost => ({
    route,
    gzipBytes,
    seen: seen?.get(route) ?? null,
  }));
  const excesses = costs.flatMap(excessesOf);
  process.exitCode = exitCodeOf(costs);
  if (values.json) tellPrograms(costs, excesses);
  else costs.forEach(tellPeople);
  for (const excess of excesses) process.stderr.write(`beyond its limit: ${excess}\n`);
  if (chromium === null) {
    process.stderr.write(
      `Long tasks were NOT measured: no Chromium. Install it (Debian: apt-get install chromium) or set CHROMIUM_PATH. ` +
        `Exit code ${process.exitCode}${process.exitCode === EXIT_CODES.notMeasured ? ', not 0, for that' : ''}.\n`,
    );
  }
}

function tellPrograms(costs: readonly RouteCost[], excesses: readonly string[]): void {
  const routes = costs.map(({ route, gzipBytes, seen }) => ({
    route,
    gzipBytes,
    loadedGzipBytes: seen?.loadedGzipBytes ?? null,
    longestTaskMs: seen?.longestTaskMs ?? null,
    blockedMs: seen?.blockedMs ?? null,
    limits: limitsOf(route),
  }));
  const isMeasured = costs.every(({ seen }) => seen !== null);
  const isWithin = isMeasured && excesses.length === 0;
  process.stdout.write(`${JSON.stringify({ isWithin, isMeasured, excesses, routes })}\n`);
}

function tellPeople({ route, gzipBytes, seen }: RouteCost): void {
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
  const tasks = seen
    ? `, ${kib(seen.loadedGzipBytes)} in all, longest task ${seen.longestTaskMs} ms, tasks beyond ${LONG_TASK_MS} ms ${seen.blockedMs} ms`
    : '';
  process.stdout.write(
    `${route.padEnd(22)} ${kib(gzipBytes)} of ${kib(limitsOf(route).gzipBytes)}${tasks}\n`,
  );
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
  const files = new Set<string>(['index.html', 'theme.js', 'load-anew.js']);
  const visit = (name: string): void => {
    const chunk = manifest[name];
    if (!chunk) throw new Error(`the manifest has no ${name}: has the page been renamed?`);
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    for (const style of chunk.css) files.add(style);
    for (const dependency of chunk.imports) visit(dependency);
  };
  for (const entry of entries) visit(entry);
  return gzipBytesOfFiles(files);
}

function gzipBytesOfFiles(files: ReadonlySet<string>): number {
  return [...files].reduce(
    (sum, file) => sum + gzipSync(readFileSync(join(site, file)), { level: 9 }).length,
    0,
  );
}

/** What a browser sees of each route's first seconds. */
async function lookAt(
  chromium: string,
  bytes: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, SeenCost>> {
  const server = serveSite();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  const browser = await openBrowser(chromium);
  try {
    const seen = new Map<string, SeenCost>();
    for (const [route, gzipBytes] of bytes) {
      let best: SeenCost | null = null;
      for (let load = 0; load < LOADS_MAX; load += 1) {
        if (load >= LOADS_MIN && excessesOf({ route, gzipBytes, seen: best }).length === 0) break;
        best = least(best, await costOfLoad(browser, `http://127.0.0.1:${port}${route}`));
      }
      if (best) seen.set(route, best);
    }
    return seen;
  } finally {
    await browser.close();
    server.close();
  }
}

/** Of tasks the quickest, of files the most: one that comes late is loaded all the same. */
function least(best: SeenCost | null, next: SeenCost): SeenCost {
  return {
    loadedGzipBytes: Math.max(best?.loadedGzipBytes ?? 0, next.loadedGzipBytes),
    longestTaskMs: Math.min(best?.longestTaskMs ?? Number.POSITIVE_INFINITY, next.longestTaskMs),
    blockedMs: Math.min(best?.blockedMs ?? Number.POSITIVE_INFINITY, next.blockedMs),
  };
}

async function costOfLoad(browser: Browser, url: string): Promise<SeenCost> {
  const page = await browser.newPage();
  const files = new Set<string>(['index.html']);
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (isOfSite(pathname)) files.add(pathname.slice(1));
  });
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
  const blockedMs = tasks.reduce((sum, task) => sum + Math.max(0, task - LONG_TASK_MS), 0);
  return {
    loadedGzipBytes: gzipBytesOfFiles(files),
    longestTaskMs: Math.round(Math.max(0, ...tasks)),
    blockedMs: Math.round(blockedMs),
  };
}

function isOfSite(path: string): boolean {
  return TYPES[path.split('.').at(-1) ?? ''] !== undefined;
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
