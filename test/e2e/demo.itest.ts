import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CliProcess } from './cli-support/cli-process.js';
import { noProcessUses, processesUsing } from './cli-support/processes-using.js';

const REFERENCE = fileURLToPath(
  new URL('../../../shared/data/seti/reference_work_unit.sah', import.meta.url),
);
const hasReference = existsSync(REFERENCE);
if (!hasReference) process.stderr.write(`skipped: the SETI@home work unit is not at ${REFERENCE}\n`);

/** Others read these names. */
const FIELDS = [
  'job',
  'found',
  'injected',
  'false',
  'units',
  'tasks',
  'validated',
  'leaderboard',
  'seconds',
  'signals',
];

interface Summary {
  readonly job: { readonly state: string };
  readonly found: number;
  readonly injected: number | null;
  readonly false: number | null;
  readonly units: number;
  readonly tasks: number;
  readonly validated: number;
  readonly seconds: number;
  /** Of a recording: its spikes, as the app wrote them. */
  readonly signals: ReadonlyArray<{ readonly power: number; readonly detection_freq: number }>;
  readonly leaderboard: ReadonlyArray<{ readonly name: string; readonly credit: string }>;
}

/** Temporary directory of this test's demos, by which their processes are recognised. */
let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'gleaner-demos-'));
  // As root Postgres runs as another user, who has to pass through here.
  await chmod(temporary, 0o711);
});
afterEach(async () => {
  await rm(temporary, { recursive: true, force: true });
});

function startDemo(...args: string[]): CliProcess {
  return new CliProcess(['demo', ...args], { TMPDIR: temporary });
}

/** A search takes half a minute of a core, at the lowest priority: on a machine that is busy with other things that may be minutes. */
const LONG = { timeout: 600_000 };

describe('gleaner demo', LONG, () => {
  it('finds every injected tone, none false, agreed on by two accounts, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await startDemo('--exit', '--json', '--chirp=-40:40', '--units', '8')
      .ended;
    expect(stderr).toContain('Three volunteers joined');
    expect(code).toBe(0);
    const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Summary;
    expect(Object.keys(summary)).toEqual(FIELDS);
    expect(summary.job.state).toBe('completed');
    expect(summary.injected).toBeGreaterThanOrEqual(3);
    expect(summary).toMatchObject({ found: summary.injected, false: 0, units: 8, validated: 8 });
    expect(summary.tasks).toBeGreaterThanOrEqual(16);
    const credited = summary.leaderboard.filter(({ credit }) => credit !== '0');
    expect(credited.length).toBeGreaterThanOrEqual(2);
    expect(summary.seconds).toBeGreaterThan(0);
    // The same for people, on the way and at the end.
    const tones = summary.injected;
    expect(stderr).toMatch(/\d+ of 8 units, .+ units\/(s|min), .+ left\)/);
    expect(stderr).toContain(`${tones} of ${tones} injected tones found, 0 false signals`);
    expect(stderr).toMatch(/^Leaderboard .*\n(.*\n)*.*(Ada|Grace|Katherine)/m);
  });

  it.skipIf(!hasReference).each([
    [
      '560:600',
      [
        { fft_len: 131_072, chirp_ix: 573, power: 22.395553588867, detection_freq: 1_418_919_461.2933 },
        { fft_len: 131_072, chirp_ix: 575, power: 22.535062789917, detection_freq: 1_418_919_461.2929 },
      ],
    ],
    [
      '2850:2870',
      [
        { fft_len: 131_072, chirp_ix: 2861, power: 22.818777084351, detection_freq: 1_418_918_946.4799 },
        { fft_len: 131_072, chirp_ix: 2862, power: 23.786548614502, detection_freq: 1_418_918_946.4924 },
      ],
    ],
  ])(
    'finds in chirps %s of a real work unit what the original client found, and nothing else',
    async (chirp, spikes) => {
      const args = ['--exit', '--json', '--tape', REFERENCE, '--chirp', chirp, '--units', '4'];
      const { code, stdout } = await startDemo(...args).ended;
      expect(code).toBe(0);
      const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Summary;
      const { job, injected, found, units, validated } = summary;
      expect([job.state, injected, summary.false, found, units, validated]).toEqual([
        'completed',
        null,
        null,
        spikes.length,
        4,
        4,
      ]);
      for (const [at, { power, detection_freq, ...exact }] of spikes.entries()) {
        const signal = summary.signals[at];
        expect(signal).toMatchObject(exact);
        expect(Math.abs((signal?.power ?? 0) / power - 1)).toBeLessThan(0.001);
        expect(Math.abs((signal?.detection_freq ?? 0) - detection_freq)).toBeLessThan(0.01);
      }
    },
  );

  it('serves until Ctrl-C, and leaves no process behind', async () => {
    await using demo = startDemo('--chirp=0:8', '--units', '2');
    await demo.said('Still serving');
    demo.kill('SIGINT');
    expect((await demo.ended).code).toBe(0);
    await noProcessUses(temporary);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('gives up its search when it is told to end', async () => {
    await using demo = startDemo('--exit');
    await demo.said('Searching');
    demo.kill('SIGTERM');
    const { code, stdout } = await demo.ended;
    expect(code).toBe(130);
    expect(stdout).toBe('');
    await noProcessUses(temporary);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('leaves no process behind when it is killed in the middle of its work', async () => {
    await using demo = startDemo();
    await demo.said('Searching');
    expect(processesUsing(temporary).length).toBeGreaterThan(3);
    demo.kill('SIGKILL');
    await demo.ended;
    await noProcessUses(temporary);
    // The next demo removes what the killed one left.
    expect(await readdir(temporary)).toHaveLength(1);
    await startDemo('--exit', '--tape', '/etc/hostname').ended;
    expect(await readdir(temporary)).toEqual([]);
  });

  it('refuses a tape that is none', async () => {
    const { code, stderr } = await startDemo('--exit', '--tape', '/etc/hostname').ended;
    expect(stderr).toContain('not a SETI@home work unit');
    expect(code).toBe(2);
  });
});
