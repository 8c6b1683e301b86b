import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { excessesOf, EXIT_CODES, exitCodeOf, limitsOf, type RouteCost } from './budget-limits.js';
import { buildWebsite } from './browser.js';
import { repositoryRoot } from './repository-root.js';

const PROGRAM = join(repositoryRoot(), 'test', 'dist', 'web', 'budget.js');
const ROUTES = ['/', '/volunteer', '/jobs/1', '/a/new/one'];
const report = z.object({
  isWithin: z.boolean(),
  isMeasured: z.boolean(),
  excesses: z.array(z.string()),
  routes: z.array(
    z.object({ route: z.string(), gzipBytes: z.number(), longestTaskMs: z.number().nullable() }),
  ),
});

function atItsLimits(route: string): RouteCost {
  const { gzipBytes, ...seen } = limitsOf(route);
  return { route, gzipBytes, seen };
}

describe('the budget', () => {
  it.each(ROUTES)('has a limit for whatever %s costs', (route) => {
    const cost = atItsLimits(route);
    const { seen } = cost;
    if (!seen) throw new Error('it was seen');
    expect(excessesOf(cost)).toEqual([]);
    expect(exitCodeOf([cost])).toBe(EXIT_CODES.within);
    for (const beyond of [
      { ...cost, gzipBytes: cost.gzipBytes + 1 },
      { ...cost, seen: { ...seen, loadedGzipBytes: seen.loadedGzipBytes + 1 } },
      { ...cost, seen: { ...seen, longestTaskMs: seen.longestTaskMs + 1 } },
      { ...cost, seen: { ...seen, blockedMs: seen.blockedMs + 1 } },
    ]) {
      expect(excessesOf(beyond)).toEqual([expect.stringContaining(`${route}: `)]);
      expect(exitCodeOf([atItsLimits('/'), beyond])).toBe(EXIT_CODES.beyond);
    }
  });

  it('allows the first route 150 KiB', () => {
    expect(limitsOf('/').gzipBytes).toBe(150 * 1024);
  });

  it('is not kept as far as is known where nothing has seen the tasks', () => {
    const unseen = { ...atItsLimits('/jobs'), seen: null };
    expect(exitCodeOf([atItsLimits('/'), unseen])).toBe(EXIT_CODES.notMeasured);
    expect(exitCodeOf([{ ...unseen, gzipBytes: 1e9 }])).toBe(EXIT_CODES.beyond);
  });
});

describe('npm run budget', () => {
  beforeAll(buildWebsite);

  it('weighs every route, and says aloud that without a Chromium it has seen no tasks', async () => {
    const env = { ...process.env, CHROMIUM_PATH: '/no/chromium/here' };
    const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>(
      (resolve) => {
        execFile(process.execPath, [PROGRAM, '--json'], { env }, (error, out, err) =>
          resolve({ code: error?.code ?? 0, stdout: out, stderr: err }),
        );
      },
    );
    expect(stderr).toContain('NOT measured: no Chromium');
    const { isWithin, isMeasured, excesses, routes } = report.parse(JSON.parse(stdout));
    expect({ code, isWithin, isMeasured, excesses }).toEqual({
      code: EXIT_CODES.notMeasured,
      isWithin: false,
      isMeasured: false,
      excesses: [],
    });
    expect(routes.length).toBeGreaterThanOrEqual(14);
    for (const { gzipBytes, longestTaskMs } of routes) {
      expect(gzipBytes).toBeGreaterThan(50 * 1024);
      expect(longestTaskMs).toBeNull();
    }
  });
});
