import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataDirectory } from '../data-directory.js';
import { ControlFile } from './control-file.js';
import { parseDuration } from './duration.js';

let path: string;
let control: ControlFile;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'gleaner-control-'));
  control = new ControlFile(new DataDirectory(path));
});
afterEach(async () => {
  await rm(path, { recursive: true, force: true });
});

describe('the control file', () => {
  it('asks for nothing where there is none', () => {
    expect(control.read()).toMatchObject({ wish: { kind: 'auto' }, finishAskedAtMs: null });
    expect(control.trouble).toBeNull();
  });

  it('that is damaged may have asked for a pause, until somebody says what holds', async () => {
    await writeFile(join(path, 'control.json'), '{"v":1,"wish":');
    expect(control.read().wish.kind).toBe('unclear');
    await expect(control.write({ finishAskedAtMs: 9 })).rejects.toThrow('say "gleaner agent pause"');
    await control.write({ wish: { kind: 'auto' } });
    expect(control.read().wish).toEqual({ kind: 'auto' });
  });

  it('that cannot be read any more asks for what it did before, and says so', async () => {
    await control.write({ wish: { kind: 'pause', untilMs: null } });
    expect(control.read().wish.kind).toBe('pause');
    await rm(join(path, 'control.json'));
    await mkdir(join(path, 'control.json'));
    expect(control.read().wish).toEqual({ kind: 'pause', untilMs: null });
    expect(control.trouble).toContain('EISDIR');
  });

  it('keeps what was asked before, and belongs to its owner alone', async () => {
    await control.write({ wish: { kind: 'pause', untilMs: 7 } });
    await control.write({ finishAskedAtMs: 9 });
    expect(control.read()).toMatchObject({ wish: { kind: 'pause', untilMs: 7 }, finishAskedAtMs: 9 });
    expect((await stat(join(path, 'control.json'))).mode & 0o777).toBe(0o600);
  });
});

describe('a duration', () => {
  it.each([
    ['45s', 45_000],
    ['90m', 5_400_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ])('%s', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each(['', '0h', '2', 'h', '-1h', '1.5h', '367d', '999999d'])('"%s" is none', (text) => {
    expect(() => parseDuration(text)).toThrow('such as 90m');
  });
});
