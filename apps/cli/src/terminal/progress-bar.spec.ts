import { describe, expect, it } from 'vitest';
import { ProgressBar } from './progress-bar.js';

function recordedBar(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  let nowMs = 0;
  const stream = { isTTY, columns, write: (text: string) => written.push(text) > 0 };
  const bar = new ProgressBar({
    label: 'Searching',
    total: 100,
    unit: 'units',
    // Only what the bar uses of a stream.
    stream: stream as unknown as NodeJS.WriteStream,
    nowMs: () => nowMs,
  });
  return { bar, written, advance: (ms: number) => (nowMs += ms) };
}

describe('ProgressBar', () => {
  it('tells rate and remaining time', () => {
    const { bar, written, advance } = recordedBar(true);
    advance(10_000);
    bar.update(20);
    expect(written.join('')).toContain('20 % (20 of 100 units, 2 units/s, 40 s left)');
  });

  it('takes what was done before for no part of the rate', () => {
    const { bar, written, advance } = recordedBar(true);
    advance(50);
    bar.startAt(60);
    bar.update(60);
    expect(written.join('')).toContain('60 % (60 of 100 units)');
    advance(10_000);
    bar.update(80);
    expect(written.join('')).toContain('80 % (80 of 100 units, 2 units/s, 10 s left)');
  });

  it('counts slow work by the minute', () => {
    const { bar, written, advance } = recordedBar(true);
    advance(60_000);
    bar.update(3);
    expect(written.join('')).toContain('3 units/min');
  });

  it('writes a plain line at the beginning and at every tenth where there is no terminal', () => {
    const { bar, written, advance } = recordedBar(false);
    for (let done = 1; done <= 100; done += 1) {
      advance(1_000);
      bar.update(done);
    }
    bar.end();
    expect(written).toHaveLength(11);
    expect(written[0]).toContain('1 of 100 units');
    for (const control of ['\r', '\u001b']) expect(written.join('')).not.toContain(control);
  });

  it('writes no plain line before it is known how much there is, and then one at once', () => {
    const { bar, written } = recordedBar(false);
    bar.update(0, 0);
    expect(written).toEqual([]);
    bar.update(0, 50);
    bar.update(1, 50);
    expect(written).toEqual(['Searching 0 % (0 of 50 units)\n']);
  });

  it('never grows beyond the width of the terminal', () => {
    const { bar, written, advance } = recordedBar(true, 60);
    advance(100_000_000);
    bar.update(37);
    const [line = ''] = written;
    expect(line.replace('\r', '').replace('\u001b[K', '').length).toBeLessThan(60);
  });

  it('stands below what else is said meanwhile', () => {
    const { bar, written } = recordedBar(true);
    const say = () => written.push('paused\n');
    bar.aside(say);
    expect(written.splice(0)).toEqual(['paused\n']);
    bar.update(20);
    const [drawn] = written.splice(0);
    bar.aside(say);
    expect(written).toEqual(['\r\u001b[K', 'paused\n', drawn]);
  });

  it('takes a total that becomes known later', () => {
    const { bar, written, advance } = recordedBar(true);
    advance(1_000);
    bar.update(1, 4);
    expect(written.join('')).toContain('25 %');
  });
});
