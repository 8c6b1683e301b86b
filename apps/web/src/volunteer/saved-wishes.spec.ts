import { afterEach, expect, it, vi } from 'vitest';
import { DEFAULT_WISHES } from './pause-reason';
import { readSavedWishes, saveWishes } from './saved-wishes';

afterEach(() => vi.unstubAllGlobals());

function aBrowserThatKeeps(text: string | null): void {
  let kept = text;
  vi.stubGlobal('localStorage', {
    getItem: () => kept,
    setItem: (_key: string, value: string) => {
      kept = value;
    },
  });
}

it('finds again what was wished', () => {
  aBrowserThatKeeps(null);
  expect(readSavedWishes(8)).toEqual(DEFAULT_WISHES);
  const wishes = { share: 80, cores: 4, evenWhenHidden: true, evenOnBattery: false };
  saveWishes(wishes);
  expect(readSavedWishes(8)).toEqual(wishes);
  expect(readSavedWishes(2)).toEqual({ ...wishes, cores: 2 });
});

it.each(['{', 'null', '7', '[]', '{"share":1e9,"cores":-4}', '{"share":"<b>","evenOnBattery":1}'])(
  'makes of %s what a slider can show',
  (text) => {
    aBrowserThatKeeps(text);
    const { share, cores, evenOnBattery } = readSavedWishes(8);
    expect(share).toBeGreaterThanOrEqual(10);
    expect(share).toBeLessThanOrEqual(100);
    expect(cores).toBe(1);
    expect(evenOnBattery).toBe(false);
  },
);
