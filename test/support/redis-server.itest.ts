import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRedis } from './redis-server.js';
import { isContinuousIntegration } from './skip-loudly.js';

it('a machine without Redis fails where CI is set to anything but no', () => {
  expect(['true', '1', 'TRUE', 'woodpecker'].filter((setting) => !isContinuousIntegration(setting))).toEqual(
    [],
  );
  expect([undefined, '', '0', 'false', 'False'].filter(isContinuousIntegration)).toEqual([]);
});

describe('on a machine that has no redis-server and cannot install one', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gleaner-no-redis-'));
    vi.stubEnv('PATH', directory);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await rm(directory, { recursive: true });
  });

  it('just the suites that need it are left out, loudly and with what to install', async () => {
    vi.stubEnv('CI', '');
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await startRedis(directory)).toBeNull();
    expect(said.mock.calls.join('')).toMatch(/SKIPPING THE REDIS SUITES: .*apt-get install redis-server/);
  });

  it('a run in CI fails with what to install', async () => {
    vi.stubEnv('CI', 'true');
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await expect(startRedis(directory)).rejects.toThrow(/apt-get install redis-server/);
  });
});
