import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { FairPace } from './pace.js';

it('pauses in proportion to what a portion took beyond what is free, but never for long', async () => {
  let nowMs = 0;
  const pauses: number[] = [];
  const pace = new FairPace(
    1 / 30,
    new AbortController().signal,
    () => nowMs,
    (pauseMs) => {
      pauses.push(Math.round(pauseMs));
      return Promise.resolve();
    },
  );
  const take = (ms: number): Promise<string> =>
    pace.portion(() => {
      nowMs += ms;
      return Promise.resolve(`after ${nowMs}`);
    });
  expect(await take(60)).toBe('after 60');
  await take(40);
  expect(pauses).toEqual([]);
  await take(10);
  await take(20);
  await take(5_000);
  expect(pauses).toEqual([290, 580, 1_000]);
});

it('pauses between two items in proportion to what it took to use the one and to make the other', async () => {
  let nowMs = 0;
  const pauses: number[] = [];
  const pace = new FairPace(
    1 / 4,
    new AbortController().signal,
    () => nowMs,
    (pauseMs) => {
      pauses.push(Math.round(pauseMs));
      nowMs += pauseMs;
      return Promise.resolve();
    },
  );
  const makingMs = [5_000, 40, 20, 50];
  async function* made(): AsyncGenerator<number> {
    for (const ms of makingMs) {
      nowMs += ms;
      yield await Promise.resolve(ms);
    }
  }
  const taken: number[] = [];
  for await (const item of pace.between(made())) {
    taken.push(item);
    nowMs += 60;
  }
  expect(taken).toEqual(makingMs);
  // 100 ms are free; what came before the first item was not between two.
  expect(pauses).toEqual([240, 330]);
});

it('counts once what is a portion within another', async () => {
  let nowMs = 0;
  const pauses: number[] = [];
  const pace = new FairPace(
    1 / 2,
    new AbortController().signal,
    () => nowMs,
    (pauseMs) => {
      pauses.push(pauseMs);
      nowMs += pauseMs;
      return Promise.resolve();
    },
  );
  async function* fetched(): AsyncGenerator<number> {
    for (const page of [1, 2, 3]) {
      nowMs += 150;
      yield await Promise.resolve(page);
    }
  }
  for await (const _ of pace.between(pace.between(fetched()))) nowMs += 50;
  expect(pauses).toEqual([100, 200]);
});

it('hands on nothing more once it is to stop', async () => {
  const stopping = new AbortController();
  const pace = new FairPace(1, stopping.signal);
  const taken: number[] = [];
  const taking = (async () => {
    for await (const item of pace.between(Readable.from([1, 2, 3]))) {
      taken.push(Number(item));
      stopping.abort(new Error('the end'));
    }
  })();
  await expect(taking).rejects.toThrow('the end');
  expect(taken).toEqual([1]);
});

it('ends a pause with the reason for which it is to stop', async () => {
  let nowMs = 0;
  const stopping = new AbortController();
  const pace = new FairPace(1 / 30, stopping.signal, () => nowMs);
  const killed = pace.portion(() => {
    nowMs += 5_000;
    stopping.abort(new Error('killed'));
    return Promise.resolve();
  });
  await expect(killed).rejects.toThrow('killed');
});

it('begins no portion, and waits no longer, once it is to stop', async () => {
  const stopping = new AbortController();
  let portions = 0;
  const pace = new FairPace(1, stopping.signal);
  await pace.portion(() => Promise.resolve((portions += 1)));
  stopping.abort(new Error('the end'));
  await expect(pace.portion(() => Promise.resolve((portions += 1)))).rejects.toThrow('the end');
  expect(portions).toBe(1);
});
