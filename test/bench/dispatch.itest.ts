import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { testRedisUrl } from '../support/index.js';
import { z } from 'zod';

const BENCH = join(import.meta.dirname, '../dist/bench/dispatch.js');
/** As much as a moment's run needs; what it measures says nothing. */
const SMALL = [
  '--hosts',
  '20',
  '--earlier-units',
  '1000',
  '--warm-up',
  '1',
  '--seconds',
  '3',
  '--rate',
  '160',
];

/** Others read these names. */
const report = z.strictObject({
  k: z.literal(8),
  coordinators: z.literal(2),
  tasksPerSecond: z.number().positive(),
  p50Ms: z.number().positive(),
  p99Ms: z.number().positive(),
  cpuUsPerTask: z.strictObject({
    node: z.number().positive(),
    postgres: z.number().positive(),
    redis: z.number().positive(),
  }),
  errors: z.literal(0),
});

it.skipIf(testRedisUrl() === null)(
  'a short run of the dispatch benchmark tells in one line of JSON what two coordinators validated',
  { timeout: 300_000 },
  async () => {
    const args = [BENCH, '--k', '8', '--coordinators', '2', ...SMALL, '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(report.parse(JSON.parse(stdout))).toMatchObject({ k: 8, coordinators: 2, errors: 0 });
  },
);
