import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Remembered } from './remembered.js';

const MAX_AGE_MS = 60_000;
/** Longer than any batch waits for company. */
const GATHERED_MS = 1_000;

let asked: string[][];
let answer: (question: string) => string;
let remembered: Remembered<string, string>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  asked = [];
  answer = (question) => question.toUpperCase();
  remembered = new Remembered({
    keyOf: (question) => question,
    load: (questions) => {
      asked.push([...questions]);
      return Promise.resolve(questions.map((question) => answer(question)));
    },
    answers: (known) => known !== '',
    maxEntries: 10,
    maxAgeMs: MAX_AGE_MS,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

async function find(...questions: string[]): Promise<string[]> {
  const answers = Promise.all(questions.map((question) => remembered.find(question)));
  await vi.advanceTimersByTimeAsync(GATHERED_MS);
  return answers;
}

it('asks for all questions of a moment at once, and remembers the answers', async () => {
  expect(await find('a', 'b')).toEqual(['A', 'B']);
  expect(await find('a', 'b')).toEqual(['A', 'B']);
  expect(asked).toEqual([['a', 'b']]);
});

it('asks anew from half its age on, while the old answer goes on serving', async () => {
  await find('a');
  answer = () => 'newer';
  await vi.advanceTimersByTimeAsync(MAX_AGE_MS / 2);
  expect(await find('a', 'a')).toEqual(['A', 'A']);
  expect(asked).toEqual([['a'], ['a']]);
  expect(await find('a')).toEqual(['newer']);
});

it('lets nobody have an answer beyond its age', async () => {
  await find('a');
  answer = () => 'newer';
  await vi.advanceTimersByTimeAsync(MAX_AGE_MS);
  expect(await find('a')).toEqual(['newer']);
});

it('keeps the old answer where asking anew fails, and tells whoever has to wait', async () => {
  await find('a');
  answer = () => {
    throw new Error('no database');
  };
  await vi.advanceTimersByTimeAsync(MAX_AGE_MS / 2);
  expect(await find('a')).toEqual(['A']);
  await vi.advanceTimersByTimeAsync(MAX_AGE_MS);
  const late = expect(remembered.find('a')).rejects.toThrow('no database');
  await vi.advanceTimersByTimeAsync(GATHERED_MS);
  await late;
});

it('does not remember what was asked before it had to forget', async () => {
  const early = remembered.find('a');
  remembered.forgetAll();
  await vi.advanceTimersByTimeAsync(GATHERED_MS);
  await early;
  answer = () => 'newer';
  expect(await find('a')).toEqual(['newer']);
  remembered.forget('a');
  answer = () => 'newest';
  expect(await find('a')).toEqual(['newest']);
});

it('asks again for what does not answer the question', async () => {
  answer = () => '';
  expect(await find('a')).toEqual(['']);
  expect(await find('a')).toEqual(['']);
  expect(asked).toEqual([['a'], ['a']]);
});

it('tries anew to ask anew where that failed', async () => {
  await find('a');
  answer = () => {
    throw new Error('no database');
  };
  await vi.advanceTimersByTimeAsync(MAX_AGE_MS / 2);
  await find('a');
  answer = () => 'newer';
  expect(await find('a')).toEqual(['A']);
  expect(await find('a')).toEqual(['newer']);
});

it('does not ask anew for what a newer question has replaced', async () => {
  const seen: string[] = [];
  const hosts = new Remembered<{ id: string; network: string }, string>({
    keyOf: ({ id }) => id,
    load: (questions) => {
      seen.push(...questions.map(({ network }) => network));
      return Promise.resolve(questions.map(({ network }) => network));
    },
    answers: (known, { network }) => known === network,
    maxEntries: 10,
    maxAgeMs: MAX_AGE_MS,
  });
  const call = async (network: string): Promise<string> => {
    const host = hosts.find({ id: 'a', network });
    await vi.advanceTimersByTimeAsync(40);
    return host;
  };
  await call('home');
  await vi.advanceTimersByTimeAsync(MAX_AGE_MS / 2);
  expect(await call('home')).toBe('home');
  expect(await call('café')).toBe('café');
  await vi.advanceTimersByTimeAsync(GATHERED_MS);
  expect(await call('café')).toBe('café');
  expect(seen).toEqual(['home', 'café']);
});

it('asks nothing anew once it is closed', async () => {
  await find('a');
  await vi.advanceTimersByTimeAsync(MAX_AGE_MS / 2);
  const old = remembered.find('a');
  remembered.close();
  await vi.advanceTimersByTimeAsync(GATHERED_MS);
  expect(await old).toBe('A');
  expect(asked).toEqual([['a']]);
});
