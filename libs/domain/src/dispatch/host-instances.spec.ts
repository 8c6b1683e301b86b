import { expect, it } from 'vitest';
import {
  type HeardInstance,
  type HeardInstances,
  hearInstance,
  INSTANCE_GONE_MS,
  isUsedTwice,
  wasUsedTwice,
} from './host-instances.js';

const MINUTE_MS = 60_000;

type Call = readonly [instance: string, atMinutes: number, word?: 'farewell'];

/** Who is known after each call, of instances that call at these minutes. */
function heardAfter(calls: readonly Call[]): HeardInstances[] {
  let heard: readonly HeardInstance[] = [];
  return calls.map(([instance, atMinutes, word]) => {
    const call = { instance, hasLeft: word === 'farewell' };
    const now = hearInstance(heard, call, atMinutes * MINUTE_MS);
    heard = now;
    return now;
  });
}

function usedTwice(...calls: readonly Call[]): boolean[] {
  return heardAfter(calls).map(isUsedTwice);
}

it('a host is used twice where two agents go on calling in turn', () => {
  expect(usedTwice(['a', 0], ['b', 1], ['a', 4], ['b', 5], ['a', 9])).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
});

it('an agent that is started again is no other, even where a call of the one before comes late', () => {
  expect(usedTwice(['a', 0], ['a', 5], ['b', 6], ['a', 6.9], ['b', 7], ['b', 12])).not.toContain(true);
});

it('a host is used once again when the other agent has not been heard for a while', () => {
  const goneMinutes = INSTANCE_GONE_MS / MINUTE_MS;
  expect(usedTwice(['a', 0], ['b', 0], ['a', 5], ['b', 5], ['b', 15], ['b', 5 + goneMinutes])).toEqual([
    false,
    false,
    false,
    true,
    true,
    false,
  ]);
});

it('an agent that was started when the other had ended is not told of it', () => {
  expect(usedTwice(['a', 0], ['b', 0], ['a', 5], ['b', 5], ['c', 6], ['c', 9])).toEqual([
    false,
    false,
    false,
    true,
    false,
    false,
  ]);
});

it('an agent whose other one took its leave works alone', () => {
  const alone = usedTwice(['a', 0], ['b', 0], ['a', 5], ['b', 5], ['b', 6, 'farewell'], ['a', 7]);
  expect(alone.slice(-3)).toEqual([true, true, false]);
});

it('what one of two may be computing is not the other’s to give back, also after one was started anew', () => {
  const calls: Call[] = [
    ['a', 0],
    ['b', 0],
    ['a', 5],
    ['b', 5],
    ['b', 6, 'farewell'],
    ['c', 7],
  ];
  expect(heardAfter(calls).map(wasUsedTwice)).toEqual([false, false, false, true, true, true]);
  const restarted: Call[] = [
    ['a', 0],
    ['a', 5],
    ['b', 6],
    ['b', 8],
  ];
  expect(heardAfter(restarted).map(wasUsedTwice)).not.toContain(true);
});

it('however many instances there are, few are kept', () => {
  let heard: readonly HeardInstance[] = [];
  for (let at = 0; at < 100; at += 1)
    heard = hearInstance(heard, { instance: String(at), hasLeft: false }, at);
  expect(heard.map(({ instance }) => instance)).toEqual(['99', '98', '97', '96']);
});
