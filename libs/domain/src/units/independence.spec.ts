import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canHelp } from './can-help.js';
import { independentParties, isIndependentOfAll } from './independence.js';
import { RULES, aReportedTask, aTask } from './unit-builders.fixture.js';
import type { IndependenceRules, Party } from './unit-view.js';

const aParty = fc.record({
  accountId: fc.nat(5),
  personId: fc.nat(4),
  hostId: fc.nat(6),
  anonymous: fc.boolean(),
  network: fc.constantFrom('n1', 'n2', 'n3', null),
});
const someRules = fc.record({
  distinct: fc.constantFrom('account' as const, 'host' as const),
  allowSameNetwork: fc.boolean(),
});

describe('independentParties', () => {
  it('finds a set as large as any, and only of mutually independent parties', () => {
    fc.assert(
      fc.property(fc.array(aParty, { maxLength: 8 }), someRules, (parties, rules) => {
        const found = independentParties(parties, rules);
        expect(isMutuallyIndependent(found, rules)).toBe(true);
        expect(found.length).toBe(largestBySearch(parties, rules));
      }),
      { numRuns: 2000 },
    );
  });

  it('finds enough whenever enough exist', () => {
    fc.assert(
      fc.property(
        fc.array(aParty, { maxLength: 8 }),
        someRules,
        fc.integer({ min: 1, max: 4 }),
        (parties, rules, enough) => {
          const found = independentParties(parties, rules, enough);
          expect(found.length >= enough).toBe(largestBySearch(parties, rules) >= enough);
        },
      ),
    );
  });
});

describe('isIndependentOfAll', () => {
  it('says whether somebody may vote beside others who are independent of each other', () => {
    fc.assert(
      fc.property(aParty, fc.array(aParty, { maxLength: 4 }), someRules, (candidate, parties, rules) => {
        fc.pre(isMutuallyIndependent(parties, rules));
        expect(isIndependentOfAll(candidate, parties, rules)).toBe(
          isMutuallyIndependent([...parties, candidate], rules),
        );
      }),
    );
  });
});

describe('canHelp', () => {
  it('turns away whoever could not vote beside those who have voted', () => {
    const voters = [aReportedTask(0, {}, { anonymous: true, network: 'n1' })];
    expect(canHelp(voters, aTask(1, { network: 'n2' }), RULES)).toBe(true);
    expect(canHelp(voters, aTask(1, { network: 'n1' }), RULES)).toBe(false);
    expect(canHelp(voters, aTask(1, { network: 'n2', anonymous: true }), RULES)).toBe(false);
    expect(canHelp(voters, aTask(1, { network: 'n2', personId: 100 }), RULES)).toBe(false);
  });

  it('counts those who still work, and turns away a second task of an account', () => {
    expect(canHelp([aTask(0, { network: 'n1' })], aTask(1, { network: 'n1' }), RULES)).toBe(false);
    expect(canHelp([aTask(0)], aTask(1, { accountId: 100, personId: 7 }), RULES)).toBe(false);
    expect(canHelp([aTask(0, { state: 'lost', counts: false })], aTask(1, { accountId: 100 }), RULES)).toBe(
      true,
    );
    expect(canHelp([], aTask(0), RULES)).toBe(true);
  });

  it('takes whoever could vote for one of several answers, though not for the others', () => {
    const voters = [aReportedTask(0, {}, { network: 'n1' }), aReportedTask(1, { digest: 'b' })];
    expect(canHelp(voters, aTask(2, { network: 'n1' }), RULES)).toBe(true);
    expect(canHelp([...voters, aTask(3, { network: 'n1' })], aTask(2, { network: 'n1' }), RULES)).toBe(false);
  });
});

/** From the rules' words and not from the code under test. */
function isMutuallyIndependent(parties: readonly Party[], rules: IndependenceRules): boolean {
  const ofHosts = rules.distinct === 'host';
  return parties.every((one, at) =>
    parties.slice(0, at).every((other) => {
      if (one.anonymous && other.anonymous) return false;
      if (ofHosts) return one.hostId !== other.hostId;
      return one.personId !== other.personId && (rules.allowSameNetwork || one.network !== other.network);
    }),
  );
}

function largestBySearch(parties: readonly Party[], rules: IndependenceRules): number {
  let most = 0;
  for (let subset = 0; subset < 2 ** parties.length; subset += 1) {
    const chosen = parties.filter((_, at) => (subset >> at) & 1);
    if (chosen.length > most && isMutuallyIndependent(chosen, rules)) most = chosen.length;
  }
  return most;
}
