import { createHash } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { LoopbackServer } from '../loopback-server.fixture.js';
import { TabContent } from './tab-content.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const modules = [1, 2, 3].map((fill) => new Uint8Array(1000).fill(fill));
const { signal } = new AbortController();

/** The contents of a tab with room for three modules, and how often each was asked of the origin. */
async function aTab() {
  const asked = [0, 0, 0];
  const server = await LoopbackServer.open((request, response) => {
    const number = Number(request.url?.slice(1));
    asked[number] = (asked[number] ?? 0) + 1;
    response.end(modules[number]);
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const tab = new TabContent({
    baseUrl: server.url,
    credentials: () => ({}),
    random: () => 0,
    cacheBytes: 3000,
  });
  const module = (number: number) =>
    tab.module(`/${number}`, sha256(modules[number] ?? new Uint8Array(0)), signal);
  return { asked, module };
}

it('keeps as much as there is room for, although several tasks have fetched the same at once', async () => {
  const { asked, module } = await aTab();
  await Promise.all([module(0), module(0), module(0)]);
  await module(1);
  await module(2);
  const before = [...asked];
  for (const number of [0, 1, 2]) expect(await module(number)).toEqual(modules[number]);
  expect(asked).toEqual(before);
});
