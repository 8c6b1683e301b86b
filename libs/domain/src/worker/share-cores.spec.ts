import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareCores, type CoreClaim } from './share-cores.js';

const TURN_MS = 600_000;
const TICK_MS = 1_000;

function aClaim(id: string, overrides: Partial<CoreClaim> = {}): CoreClaim {
  return { id, weight: 1, wantedCores: 64, cores: 0, owedMs: 0, ...overrides };
}

/** Core·milliseconds that each project was given, all of them wanting as told all the time. */
function usedOver(ticks: number, cores: number, claims: readonly CoreClaim[], tickMs = TICK_MS): number[] {
  const used = claims.map(() => 0);
  let state = claims;
  for (let tick = 0; tick < ticks; tick++) {
    const grants = shareCores(state, { cores, elapsedMs: tickMs, turnMs: TURN_MS });
    state = state.map((claim, index) => ({ ...claim, ...grants[index] }));
    state.forEach((claim, index) => {
      used[index] = (used[index] ?? 0) + Math.min(claim.cores, claim.wantedCores) * tickMs;
    });
  }
  return used;
}

describe('shareCores', () => {
  it('gives the only project that has work all cores', () => {
    const claims = [aClaim('a'), aClaim('b', { wantedCores: 0, weight: 1000 })];
    const grants = shareCores(claims, { cores: 4, elapsedMs: TICK_MS, turnMs: TURN_MS });
    expect(grants.map(({ cores }) => cores)).toEqual([4, 0]);
  });

  it('divides cores by weight where whole cores can say it', () => {
    const claims = [aClaim('a', { weight: 300 }), aClaim('b', { weight: 100 })];
    const grants = shareCores(claims, { cores: 8, elapsedMs: TICK_MS, turnMs: TURN_MS });
    expect(grants.map(({ cores }) => cores)).toEqual([6, 2]);
  });

  it('leaves to others what a project has no work for', () => {
    const claims = [aClaim('a', { wantedCores: 1 }), aClaim('b'), aClaim('c')];
    const grants = shareCores(claims, { cores: 5, elapsedMs: TICK_MS, turnMs: TURN_MS });
    expect(grants.map(({ cores }) => cores)).toEqual([1, 2, 2]);
  });

  it('lets a single core change hands once a turn, not every second', () => {
    let state = [aClaim('a'), aClaim('b')];
    let changes = 0;
    for (let tick = 0; tick < 3600; tick++) {
      const before = state.map(({ cores }) => cores).join();
      const grants = shareCores(state, { cores: 1, elapsedMs: TICK_MS, turnMs: TURN_MS });
      state = state.map((claim, index) => ({ ...claim, ...grants[index] }));
      if (tick > 0 && state.map(({ cores }) => cores).join() !== before) changes += 1;
    }
    expect(changes).toBeGreaterThanOrEqual(3);
    expect(changes).toBeLessThanOrEqual(12);
  });

  it('does not let a project without work save up for later', () => {
    const away = aClaim('a', { wantedCores: 0, owedMs: 50 * TURN_MS });
    const [grant] = shareCores([away, aClaim('b')], { cores: 1, elapsedMs: TICK_MS, turnMs: TURN_MS });
    expect(grant).toEqual({ id: 'a', cores: 0, owedMs: 0 });
  });

  it('holds the shares over a long time, also with a single core', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 6 }), (all, cores) => {
        const claims = all.map((weight, index) => aClaim(String(index), { weight }));
        const ticks = 2_000;
        const used = usedOver(ticks, cores, claims, 60_000);
        const total = all.reduce((sum, weight) => sum + weight, 0);
        expect(used.reduce((sum, value) => sum + value, 0)).toBe(ticks * cores * 60_000);
        all.forEach((weight, index) => {
          const fairMs = (ticks * cores * 60_000 * weight) / total;
          // Never further from its share than a few turns, however long it goes on.
          expect(Math.abs((used[index] ?? 0) - fairMs)).toBeLessThanOrEqual(2 * all.length * TURN_MS);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('never grants more cores than there are, than are wanted, or fewer than can be used', () => {
    const claim = fc.record({
      id: fc.string(),
      weight: fc.double({ min: 0.01, max: 1000, noNaN: true }),
      wantedCores: fc.integer({ min: 0, max: 20 }),
      cores: fc.integer({ min: 0, max: 20 }),
      owedMs: fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(claim, { maxLength: 6 }),
        fc.integer({ min: 0, max: 32 }),
        fc.integer({ min: 0, max: 1e6 }),
        (claims, cores, elapsedMs) => {
          const grants = shareCores(claims, { cores, elapsedMs, turnMs: TURN_MS });
          const granted = grants.reduce((sum, grant) => sum + grant.cores, 0);
          const wanted = claims.reduce((sum, { wantedCores }) => sum + wantedCores, 0);
          expect(granted).toBe(Math.min(cores, wanted));
          grants.forEach((grant, index) => {
            expect(grant.cores).toBeLessThanOrEqual(claims[index]?.wantedCores ?? 0);
            expect(Number.isFinite(grant.owedMs)).toBe(true);
          });
        },
      ),
    );
  });
});
