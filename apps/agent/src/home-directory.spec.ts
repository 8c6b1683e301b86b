import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { homeDirectory } from './home-directory.js';

const user = { homedir: '/home/ann' };
const unknown = (): never => {
  throw new Error('A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)');
};

describe('the home directory', () => {
  it('is what the system tells', () => {
    expect(homeDirectory()).toBe(os.homedir());
    expect(homeDirectory({ homedir: () => '/srv/ann', userInfo: () => user })).toBe('/srv/ann');
  });

  it('is not where one happens to stand, when the variable is empty', () => {
    expect(homeDirectory({ homedir: () => '', userInfo: () => user })).toBe('/home/ann');
  });

  it('is none for a user whom the system does not know', () => {
    expect(homeDirectory({ homedir: unknown, userInfo: unknown })).toBeNull();
  });
});
