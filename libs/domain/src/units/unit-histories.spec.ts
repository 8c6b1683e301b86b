import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aDigest,
  anAction,
  someRules,
  SUBMITTER,
  type UnitAction,
  VOLUNTEERS,
} from './unit-actions.fixture.js';
import type { UnitDecision } from './unit-decision.js';
import { UnitLedger } from './unit-ledger.fixture.js';
import { isFinalUnitState, LATE_CREDIT_MS } from './unit-view.js';

/** Without a size, arrays stay at about ten. */
const history = fc.array(anAction, { maxLength: 60, size: 'max' });

type Result = Extract<UnitAction, { readonly do: 'report' }>;

/** Everybody does what they can, until the unit is final or nothing more happens: the last decision. */
function finish(ledger: UnitLedger, digests: readonly Result['digest'][]): UnitDecision {
  let decision = ledger.play({ do: 'job-resumed' });
  // Each round finishes what runs and lets everybody claim every open ticket; maxTasks bounds the rounds.
  for (let round = 0; round <= ledger.rules.maxTasks; round += 1) {
    for (const { state, accountId, ordinal } of ledger.unit.tasks) {
      if (state === 'in-progress') decision = ledger.play(aResult(ordinal, digests[Number(accountId)]!));
    }
    if (ledger.unit.state === 'awaiting-output') {
      decision = ledger.play({ do: 'output-uploaded', ordinal: ledger.unit.canonicalOrdinal! });
    }
    if (isFinalUnitState(ledger.unit.state)) break;
    for (let ordinal = 0; ordinal < ledger.unit.wanted; ordinal += 1) {
      for (let who = 0; who < VOLUNTEERS.length; who += 1) {
        if (ledger.hasTask(ordinal)) break;
        decision = ledger.play({ do: 'claim', who, ordinal });
      }
    }
  }
  return decision;
}

function aResult(ordinal: number, digest: Result['digest'], version: Result['version'] = '1'): UnitAction {
  return { do: 'report', ordinal, digest, outcome: 'ok', cycles: 1n, held: true, version };
}

describe('random histories of a work unit', () => {
  it('keep every invariant: task bounds, one credit a person, independent quorums, stable decisions', () => {
    const states = new Set<string>();
    fc.assert(
      fc.property(someRules, history, (rules, actions) => {
        const ledger = new UnitLedger(rules);
        for (const action of actions) ledger.play(action);
        states.add(ledger.unit.state);
      }),
      { numRuns: 1500 },
    );
    expect([...states].toSorted()).toEqual(['awaiting-output', 'cancelled', 'failed', 'open', 'valid']);
  });

  it('end final or blocked for a stated reason once every volunteer has done what they can', () => {
    const digests = fc.array(aDigest, { minLength: VOLUNTEERS.length, maxLength: VOLUNTEERS.length });
    fc.assert(
      fc.property(someRules, history, digests, (rules, actions, reported) => {
        const ledger = new UnitLedger(rules);
        for (const action of actions) ledger.play(action);
        const decision = finish(ledger, reported);
        const isExplained = decision.blocked?.startsWith('needs another account') ?? false;
        expect(isFinalUnitState(ledger.unit.state) || isExplained).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('pay for late results within seven days, to whoever was not paid before, and never after', () => {
    const allTheSame = VOLUNTEERS.map(() => 'a' as const);
    const early = fc.array(anAction, { maxLength: 15 });
    let paid = 0;
    fc.assert(
      fc.property(someRules, early, fc.integer({ min: 0, max: 14 * 24 }), (rules, actions, hours) => {
        const ledger = new UnitLedger(rules);
        for (const at of [0, 1]) {
          ledger.play({ do: 'claim', who: at, ordinal: at });
          ledger.play({ do: 'lost', ordinal: at });
        }
        for (const action of actions) ledger.play(action);
        finish(ledger, allTheSame);
        const { unit } = ledger;
        const canonical = unit.tasks.find(({ ordinal }) => ordinal === unit.canonicalOrdinal)?.result;
        if (!isFinalUnitState(unit.state) || canonical?.outcome !== 'ok') return;
        const digest = canonical.digest.slice('ok-'.length) as Result['digest'];
        const version = canonical.runtimeVersion as Result['version'];
        ledger.play({ do: 'wait', hours });
        for (const { ordinal, state, result, creditEligible, personId } of unit.tasks) {
          if (result !== null || (state !== 'lost' && state !== 'aborted')) continue;
          const isInTime = ledger.now - unit.settledAtMs! <= LATE_CREDIT_MS;
          const { tasks } = ledger.unit;
          const holdsAlready = tasks.some((task) => task.heldCredit !== null && task.personId === personId);
          const { credits } = ledger.play(aResult(ordinal, digest, version));
          const isSubmitter = personId === ledger.persons.get(SUBMITTER);
          const mayEarn = rules.quorum > 1 || rules.mayEarnAlone;
          const earns = isInTime && creditEligible && mayEarn && !holdsAlready && !isSubmitter;
          expect(credits.map((credit) => credit.ordinal)).toEqual(earns ? [ordinal] : []);
          paid += credits.length;
        }
      }),
      { numRuns: 1000 },
    );
    // Some eighty: enough to know that the property is not empty.
    expect(paid).toBeGreaterThan(10);
  });
});
