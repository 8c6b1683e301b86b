import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataDirectory } from '../data-directory.js';
import { prefs } from './prefs-command.js';
import { PREFERENCES_NAME } from './preferences-file.js';

let directory: DataDirectory;
beforeEach(async () => {
  directory = new DataDirectory(await mkdtemp(join(tmpdir(), 'gleaner-prefs-')));
});
afterEach(async () => {
  await rm(directory.path, { recursive: true, force: true });
});

async function kept(): Promise<unknown> {
  return JSON.parse(await readFile(directory.file(PREFERENCES_NAME), 'utf8'));
}

describe('a preference', () => {
  it.each([
    ['p2p=true', { p2p: true }],
    ['onBattery=compute', { onBattery: 'compute' }],
    ['cores.inUse=1', { cores: { inUse: 1 } }],
  ])('is changed by %s', async (change, written) => {
    await prefs({ directory, changes: [change], json: true });
    expect(await kept()).toEqual(written);
  });

  it.each([
    ['cores=1', '"cores" has parts: write cores.idle=1 or cores.inUse=1'],
    ['memoryPercent=40', '"memoryPercent" has parts: write memoryPercent.idle=40 or memoryPercent.inUse=40'],
    ['hours=22:00-07:00', '"hours" has parts: write hours.everyday=22:00-07:00 or hours.monday=22:00-07:00'],
  ])('of several parts is not changed by %s, which is told how to say it', async (change, sentence) => {
    await expect(prefs({ directory, changes: [change], json: true })).rejects.toThrow(sentence);
  });

  it('of several parts has its default again when nothing is given', async () => {
    await prefs({ directory, changes: ['cores.idle=1', 'cores={"inUse":1}', 'cores='], json: true });
    expect(await kept()).toEqual({});
  });

  it('that nobody knows changes nothing', async () => {
    await prefs({ directory, changes: ['onBattery=compute'], json: true });
    await expect(prefs({ directory, changes: ['foo=bar'], json: true })).rejects.toThrow(
      'foo=bar: foo: is not a known field: there are whileInUse,',
    );
    await expect(prefs({ directory, changes: ['onBattery=maybe'], json: true })).rejects.toThrow(
      'onBattery=maybe: onBattery: must be "pause" or "compute", not "maybe"',
    );
    expect(await kept()).toEqual({ onBattery: 'compute' });
  });

  it('is changed in a file with a byte order mark like in any other', async () => {
    await writeFile(directory.file(PREFERENCES_NAME), '\uFEFF{"minFreeDiskMiB": 5000}');
    await prefs({ directory, changes: ['onBattery=compute'], json: true });
    expect(await kept()).toEqual({ minFreeDiskMiB: 5000, onBattery: 'compute' });
  });

  it('is changed beside a damaged file, which may hold limits and is put aside', async () => {
    const damaged = '{"minFreeDiskMiB": 5000,}';
    await writeFile(directory.file(PREFERENCES_NAME), damaged);
    await prefs({ directory, changes: ['onBattery=compute'], json: true });
    expect(await kept()).toEqual({ onBattery: 'compute' });
    expect(await readFile(directory.file(`${PREFERENCES_NAME}.damaged`), 'utf8')).toBe(damaged);
  });
});
