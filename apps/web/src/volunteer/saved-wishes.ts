import { DEFAULT_WISHES, type Wishes } from './pause-reason';
import { kept } from '../api/kept';

const KEY = 'gleaner.wishes';
export const SHARE_MIN = 10;
export const SHARE_MAX = 100;

/** Cores that a tab may compute on; browsers that do not tell have one. */
export function coresHere(): number {
  // Missing in some browsers, whatever the types say.
  const told = navigator.hardwareConcurrency as number | undefined;
  return Math.max(1, told ?? 1);
}

/** What was wished in an earlier visit, within what this computer has: a slider, never a start. */
export function readSavedWishes(cores: number): Wishes {
  try {
    const value: unknown = JSON.parse(kept().getItem(KEY) ?? 'null');
    return typeof value === 'object' && value !== null ? wishesIn(value, cores) : DEFAULT_WISHES;
  } catch {
    return DEFAULT_WISHES;
  }
}

export function saveWishes(wishes: Wishes): void {
  kept().setItem(KEY, JSON.stringify(wishes));
}

function wishesIn(value: object, cores: number): Wishes {
  const fields = new Map<string, unknown>(Object.entries(value));
  return {
    share: within(fields.get('share'), SHARE_MIN, SHARE_MAX, DEFAULT_WISHES.share),
    cores: within(fields.get('cores'), 1, cores, DEFAULT_WISHES.cores),
    evenWhenHidden: fields.get('evenWhenHidden') === true,
    evenOnBattery: fields.get('evenOnBattery') === true,
  };
}

function within(value: unknown, min: number, max: number, otherwise: number): number {
  return Number.isInteger(value) ? Math.min(max, Math.max(min, Number(value))) : otherwise;
}
