import { afterEach, describe, expect, it, vi } from 'vitest';
import { DataDirectory } from '../data-directory.js';
import { install } from './service-commands.js';
import { withoutUserInfo } from './without-user-info.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('what would be installed', () => {
  it.each([true, false])('is shown without the password of a proxy (as JSON: %s)', async (json) => {
    vi.stubEnv('https_proxy', 'http://ada:s3cret@proxy.example:3128');
    const printed: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    const directory = new DataDirectory('/home/ada/gleaner');
    await install({ directory, command: ['gleaner', 'agent'], isDryRun: true, json });
    const text = printed.join('');
    expect(text).toContain('https_proxy');
    expect(text).not.toContain('s3cret');
    if (process.platform === 'linux') expect(text).toContain('https_proxy=http://***@proxy.example:3128');
  });
});

describe('an address without its user info', () => {
  it.each([
    ['http://proxy.example:3128', 'http://proxy.example:3128'],
    ['http://ada:s3cret@proxy.example:3128', 'http://***@proxy.example:3128'],
    ['ada:s3cret@proxy.example:3128', '***@proxy.example:3128'],
    ['socks5h://ada:s3/c@r#et@proxy.example/', 'socks5h://***@proxy.example/'],
    ['localhost,.example', 'localhost,.example'],
  ])('%s is shown as %s', (address, shown) => {
    expect(withoutUserInfo(address)).toBe(shown);
  });
});
