import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aDigest, anAction, someRules, VOLUNTEERS } from './unit-actions.fixture.js';
import { UnitLedger } from './unit-ledger.fixture.js';
import { isFinalUnitState } from './unit-view.js';

describe('random histories of a work unit', () => {
  it('keep every invariant: task bounds, one credit a person, independent quorums, stable decisions', () => {
    fc.assert(
      fc.property(someRules, fc.array(anAction, { maxLength: 60 }), (rules, actions) => {
        const ledger = new UnitLedger(rules);
        for (const action of actions) ledger.play(action);
      }),
      { numRuns: 1500 },
    );
  });

  it('end final or blocked for a stated reason once every volunteer has done what they can', () => {
    fc.assert(
      fc.property(
        someRules,
        fc.array(anAction, { maxLength: 40 }),
        fc.array(aDigest, { minLength: 14, maxLength: 14 }),
        (rules, actions, digests) => {
          const ledger = new UnitLedger(rules);
          for (const action of actions) ledger.play(action);
          let decision = ledger.play({ do: 'job-resumed' });
          // Each round finishes what runs and lets everybody claim every open ticket; maxTasks bounds the rounds.
          for (let round = 0; round <= rules.maxTasks; round += 1) {
            for (const task of ledger.unit.tasks) {
              if (task.state !== 'in-progress') continue;
              const digest = digests[Number(task.accountId)]!;
              const outcome = 'ok' as const;
              decision = ledger.play({
                do: 'report',
                ordinal: task.ordinal,
                digest,
                outcome,
                cycles: 1n,
                held: true,
                version: '1',
              });
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
          const isExplained = decision.blocked?.startsWith('needs another account') ?? false;
          expect(isFinalUnitState(ledger.unit.state) || isExplained).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
