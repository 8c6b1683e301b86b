import { describe, expect, it } from 'vitest';
import { CpuByOthers, shareOfOthers, type CpuSample } from './cpu-by-others.js';
import { parseProcStat, readCpuTimes } from './cpu-times.js';
import { parsePressure } from './pressure.js';
import { parseProcessStat, parsePsTree, readProcessTree } from './process-tree.js';
import { readText } from './read-text.js';

/** A machine with two cores; milliseconds of both since the start. */
function aSample(atMs: number, busyMs: number, ownMs: number): CpuSample {
  return { atMs, all: { busyMs, totalMs: 2 * atMs }, ownMs };
}

describe('/proc/stat', () => {
  it('counts waiting, stolen and low-priority time as idle, and guests once', () => {
    const text = 'cpu  100 20 30 800 40 5 5 10 50 0\ncpu0 50 10 15 400 20 2 3 5 25 0\nintr 1 2 3\n';
    expect(parseProcStat(text)).toEqual({ busyMs: 1400, totalMs: 10_100 });
  });

  it('is unknown where it is something else', () => {
    expect(parseProcStat('')).toBeNull();
    expect(parseProcStat('cpu0 1 2 3 4')).toBeNull();
  });

  it('of this machine grows', () => {
    const before = readCpuTimes(readText);
    expect(before?.totalMs).toBeGreaterThan(0);
    expect(readCpuTimes(readText)?.totalMs).toBeGreaterThanOrEqual(before?.totalMs ?? Infinity);
  });
});

describe('CPU used by others', () => {
  it.each([
    ['nobody computes', 0, 0, 0],
    ['only this agent computes', 2000, 2000, 0],
    ['one other core is busy', 1000, 0, 0.5],
    ['both are busy, one with this agent', 2000, 1000, 0.5],
    ['own children are counted later than the machine', 900, 1000, 0],
    ['more than everything', 9000, 0, 1],
  ])('%s', (_what, busyMs, ownMs, share) => {
    expect(shareOfOthers(aSample(0, 0, 0), aSample(1000, busyMs, ownMs))).toBeCloseTo(share);
  });

  it('is taken over the last ten seconds', () => {
    const samples = [...Array(31).keys()].map((second) =>
      // Another program takes one of two cores for the first 15 of 30 seconds.
      aSample(second * 1000, Math.min(second, 15) * 1000, 0),
    );
    const probe = new CpuByOthers(() => samples.shift() ?? null);
    const shares = [...Array(31).keys()].map(() => probe.read());
    expect(shares[0]).toBeNull();
    expect(shares[5]).toBeCloseTo(0.5);
    expect(shares[15]).toBeCloseTo(0.5);
    expect(shares[20]).toBeCloseTo(0.25);
    expect(shares[25]).toBeCloseTo(0);
  });

  it('is unknown where the machine does not tell', () => {
    expect(new CpuByOthers(() => null).read()).toBeNull();
  });
});

describe('a process tree', () => {
  const stat = (name: string, own: number, children: number, pages: number, nice = 0): string =>
    `7 (${name}) S 1 7 7 0 -1 4194304 100 0 0 0 ${own} 1 7 ${children} 20 ${nice} 11 0 100 1000000 ${pages} 18446744073709551615`;

  it('counts the CPU at normal priority and the memory of all descendants, with those of ended children', () => {
    const files: Record<string, string> = {
      '/proc/7/stat': stat('node', 100, 50, 256),
      '/proc/7/task/7/children': '8 9 ',
      '/proc/8/stat': stat('a (b) c', 200, 0, 512),
      '/proc/8/task/8/children': '10',
      '/proc/10/stat': stat('sandbox', 5000, 0, 0, 19),
    };
    expect(readProcessTree(7, (path) => files[path])).toEqual({ cpuMs: 3530, memoryMiB: 3 });
  });

  it('is unknown without /proc', () => {
    expect(readProcessTree(7, () => undefined)).toBeNull();
    expect(parseProcessStat('')).toBeNull();
  });

  it('of this very process holds memory and has computed', () => {
    const usage = readProcessTree(process.pid, readText);
    expect(usage?.cpuMs).toBeGreaterThan(0);
    expect(usage?.memoryMiB).toBeGreaterThan(10);
  });

  it('is found in the output of ps on macOS', () => {
    const text = [
      '    1     0   9568   3:21.92',
      '  501     1   4100   0:01.50',
      '  777   501 102400   1:02.03',
      '  800   777  51200  1:00:00.50',
      '  900     1  10000  12:00.00',
      '',
    ].join('\n');
    expect(parsePsTree(text, 777)).toEqual({ cpuMs: 3_662_530, memoryMiB: 150 });
    expect(parsePsTree('PID PPID\n', 777)).toBeNull();
  });
});

describe('/proc/pressure', () => {
  it.each([
    [
      'some avg10=43.21 avg60=1.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
      0.4321,
    ],
    ['some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n', 0],
    ['', null],
  ])('%j', (text, share) => {
    expect(parsePressure(text)).toBe(share);
  });
});
