import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { LineProcess } from './line-process.js';
import { PolledProbe } from './polled-probe.js';
import {
  logindInputAgeMs,
  parseIoreg,
  parseMutterIdletime,
  parseSeatIdleHint,
  parseWindowsIdle,
} from './session-input.js';

describe('the last input, as told by', () => {
  it.each([
    ['{"type":"t","data":[8123]}\n', 8123],
    ['{"type":"t","data":[]}\n', null],
    ['Failed to set up connection\n', null],
  ])('GNOME: %j', (text, age) => {
    expect(parseMutterIdletime(text)).toBe(age);
  });

  const seat = (...data: readonly string[]): string =>
    ['b', 'b', 't'].map((type, index) => `{"type":"${type}","data":${data[index] ?? ''}}\n`).join('');
  it.each([
    ['a seat in use', seat('true', 'false', '0'), 0],
    ['a seat idle for a minute', seat('true', 'true', '17000000000'), 60_000],
    ['a seat that became idle just now', seat('true', 'true', '17060000100'), 0],
    ['a seat that never was used', seat('true', 'true', '0'), null],
    ['a seat without graphics', seat('false', 'false', '0'), null],
    ['no logind', '', null],
  ])('logind: %s', (_what, text, age) => {
    expect(parseSeatIdleHint(text, 17_060_000)).toBe(age);
  });

  it('logind, whatever the clock is set to meanwhile', async () => {
    const idleSinceUs = process.hrtime.bigint() / 1000n - 600_000_000n;
    vi.useFakeTimers({ toFake: ['Date'] });
    const age = await logindInputAgeMs((_program, args) => {
      expect(args.at(-1)).toBe('IdleSinceHintMonotonic');
      vi.setSystemTime(Date.now() - 7_200_000);
      return Promise.resolve(seat('true', 'true', String(idleSinceUs)));
    }, new AbortController().signal);
    vi.useRealTimers();
    expect(age).toBeGreaterThanOrEqual(600_000);
    expect(age).toBeLessThan(1_200_000);
  });

  it.each([
    ['  | |   "HIDIdleTime" = 2512345678\n', 2512.345678],
    ['+-o Root  <class IORegistryEntry>\n', null],
  ])('ioreg of macOS: %j', (text, age) => {
    expect(parseIoreg(text)).toBe(age);
  });

  it.each([
    ['1532', 1532],
    ['1532\r', 1532],
    ['Add-Type : cannot compile', null],
    ['', null],
  ])('GetLastInputInfo of Windows: %j', (line, age) => {
    expect(parseWindowsIdle(line)).toBe(age);
  });
});

describe('a polled probe', () => {
  it('answers with its last reading and polls no more often than told', async () => {
    let now = 0;
    let polls = 0;
    const poll = (): Promise<number> => Promise.resolve(++polls);
    const probe = new PolledProbe({ poll, everyMs: 1000, timeoutMs: 1000, nowMs: () => now });
    await probe.ready();
    expect(probe.read()).toBe(1);
    now = 999;
    probe.read();
    expect(polls).toBe(1);
    now = 1000;
    expect(probe.read()).toBe(1);
    await setImmediate();
    expect(probe.read()).toBe(2);
  });

  it('is unknown while the reading fails', async () => {
    const probe = new PolledProbe({
      poll: () => Promise.reject(new Error('no such program')),
      everyMs: 1000,
      timeoutMs: 1000,
    });
    await probe.ready();
    expect(probe.read()).toBeNull();
  });

  it('polls no more once it is closed', async () => {
    let polls = 0;
    const poll = (): Promise<number> => Promise.resolve(++polls);
    const probe = new PolledProbe({ poll, everyMs: 0, timeoutMs: 1000 });
    probe.close();
    await probe.ready();
    expect(polls).toBe(0);
  });
});

describe('a line process', () => {
  it('reads the lines that its program prints, and ends with it', async () => {
    const program = 'console.log("nonsense"); console.log("42"); setInterval(() => {}, 1000)';
    const probe = new LineProcess({
      program: process.execPath,
      args: ['-e', program],
      parse: parseWindowsIdle,
    });
    try {
      while (probe.read() === null) await setImmediate();
      expect(probe.read()).toBe(42);
    } finally {
      probe.close();
    }
  });

  it('of a program that does not exist is unknown', () => {
    const probe = new LineProcess({ program: '/nowhere/powershell', args: [], parse: parseWindowsIdle });
    expect(probe.read()).toBeNull();
    probe.close();
  });
});
