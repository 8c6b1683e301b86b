import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DataDirectory } from '../data-directory.js';
import { countTask, readTallies } from './tallies.js';

const NOON = new Date(2026, 10, 20, 12);
const NEXT_NOON = new Date(2026, 10, 21, 12);

let directory: DataDirectory;
beforeEach(async () => {
  vi.useFakeTimers({ now: NOON, toFake: ['Date'] });
  directory = new DataDirectory(await mkdtemp(join(tmpdir(), 'gleaner-tallies-')));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(directory.path, { recursive: true, force: true });
});

it('counts all of a task on the day it is finished, also of one that went on after a restart', async () => {
  await countTask(directory, { outcome: 'ok', cycles: 2_500n });
  const resumed = { outcome: 'ok' as const, cycles: 10n ** 30n, resumedCycles: 10n ** 29n };
  await countTask(directory, resumed);
  const today = await readTallies(directory, NOON);
  const cycles = (10n ** 30n + 2_500n).toString();
  expect(today).toMatchObject({ tasks: 2, cycles, cyclesOfDay: cycles });
  const tomorrow = await readTallies(directory, NEXT_NOON);
  expect(tomorrow).toMatchObject({ tasks: 2, cycles, cyclesOfDay: '0' });
});

it('counts nothing that failed because of this machine', async () => {
  await countTask(directory, { outcome: 'infrastructure', cycles: 7n });
  expect(await readTallies(directory, NOON)).toMatchObject({ tasks: 0, cycles: '0' });
});
