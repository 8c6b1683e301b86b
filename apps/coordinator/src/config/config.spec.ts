import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, SETTINGS } from './config.js';

const GUIDE = fileURLToPath(new URL('../../../../docs/operating.md', import.meta.url));

describe('the configuration', () => {
  it('needs nothing from the environment', () => {
    expect(readConfig({})).toMatchObject({
      port: 8400,
      role: 'all',
      databaseUrl: null,
      redisUrl: null,
      json: false,
    });
  });

  it('is described for operators, each variable and no other', async () => {
    const described = (await readFile(GUIDE, 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) =>
        [...(line.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name),
      );
    expect(described.toSorted()).toEqual([...SETTINGS].toSorted());
  });

  it('cannot be changed after it was read', () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true);
  });

  it('names every variable that is wrong, not only the first', () => {
    const read = () => readConfig({ GLEANER_PORT: '70000', GLEANER_ROLE: 'boss', DATABASE_URL: 'mysql://x' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/GLEANER_PORT.*GLEANER_ROLE.*DATABASE_URL/);
  });

  it('leaves connections to work on beside those that hold locks', () => {
    expect(readConfig({ GLEANER_DATABASE_CONNECTIONS: '8' }).databaseConnections).toBe(8);
    expect(() => readConfig({ GLEANER_DATABASE_CONNECTIONS: '7' })).toThrow(/CONNECTIONS.*8/);
  });

  it.each([
    ['', false],
    ['false', false],
    ['true', true],
    ['2', 2],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.0/255.0.0.0, loopback,fd00::/8', '10.0.0.0/255.0.0.0, loopback,fd00::/8'],
  ])('trusts proxies as "%s" says', (text, expected) => {
    expect(readConfig({ GLEANER_TRUST_PROXY: text }).trustProxy).toBe(expected);
  });

  it.each(['nonsense', '10.0.0.0/33', '10.0.0.1,', 'yes', '-1'])('does not take "%s" for proxies', (text) => {
    expect(() => readConfig({ GLEANER_TRUST_PROXY: text })).toThrow(/GLEANER_TRUST_PROXY: must be/);
  });

  it('takes what is set to nothing for not set', () => {
    expect(readConfig(Object.fromEntries(SETTINGS.map((name) => [name, ''])))).toEqual(readConfig({}));
    expect(readConfig({ GLEANER_PORT: ' ' }).port).toBe(8400);
  });

  it('says what an address must be', () => {
    expect(() => readConfig({ DATABASE_URL: 'localhost:5432/gleaner' })).toThrow(
      /DATABASE_URL.*postgres:\/\//,
    );
    for (const address of ['localhost:6379', 'redis:///run/redis.sock', 'redis://localhost:6379/first'])
      expect(() => readConfig({ REDIS_URL: address })).toThrow(/REDIS_URL.*redis:\/\//);
    for (const address of ['redis://localhost', 'redis://ada:secret@[::1]:6379/', 'rediss://localhost/3'])
      expect(readConfig({ REDIS_URL: address }).redisUrl).toBe(address);
  });

  it('says how what is special in a password is written', () => {
    for (const password of ['100%', 'a/b', 'a#b', 'a?b']) {
      expect(() => readConfig({ DATABASE_URL: `postgres://ada:${password}@localhost/gleaner` })).toThrow(
        /DATABASE_URL: .*in a password % is written %25/,
      );
      expect(() => readConfig({ REDIS_URL: `redis://:${password}@localhost` })).toThrow(
        /REDIS_URL: .*in a password % is written %25/,
      );
    }
    const { databaseUrl, redisUrl } = readConfig({
      DATABASE_URL: 'postgres://ada:100%25%2F@localhost/gleaner',
      REDIS_URL: 'redis://:100%25%2F@localhost',
    });
    expect([databaseUrl, redisUrl]).toEqual([
      'postgres://ada:100%25%2F@localhost/gleaner',
      'redis://:100%25%2F@localhost',
    ]);
  });

  it('refuses an operator token that is too short to be secret', () => {
    expect(() => readConfig({ GLEANER_OPERATOR_TOKEN: 'gln_secret' })).toThrow(/GLEANER_OPERATOR_TOKEN/);
  });
});
