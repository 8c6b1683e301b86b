import { expect, it } from 'vitest';
import { nextWishesVersion } from './wishes-version.js';

const NOW_MS = Date.UTC(2026, 10, 22);

it('wishes that follow each other at once have versions that do', () => {
  const first = nextWishesVersion(0, NOW_MS);
  expect(nextWishesVersion(first, NOW_MS)).toBe(first + 1);
});

it('a wish after a restored backup is newer than all that the host heard before', () => {
  const inBackup = nextWishesVersion(0, NOW_MS);
  const lost = nextWishesVersion(nextWishesVersion(inBackup, NOW_MS + 1000), NOW_MS + 2000);
  expect(nextWishesVersion(inBackup, NOW_MS + 60_000)).toBeGreaterThan(lost);
});

it('a clock that was put back makes no version smaller, and all fit an integer of the database', () => {
  const version = nextWishesVersion(0, NOW_MS);
  expect(nextWishesVersion(version, NOW_MS - 3_600_000)).toBe(version + 1);
  expect(nextWishesVersion(0, Date.UTC(2080, 0))).toBeLessThan(2 ** 31);
});
