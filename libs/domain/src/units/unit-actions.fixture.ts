import fc from 'fast-check';
import type { Party } from './unit-view.js';

interface Volunteer extends Party {
  readonly creditEligible: boolean;
}

export const VOLUNTEERS: readonly Volunteer[] = Array.from({ length: 14 }, (_, i) => ({
  accountId: i,
  personId: i,
  hostId: 500 + i,
  anonymous: i % 4 === 3,
  network: i < 10 ? `net-${i % 7}` : null,
  creditEligible: i !== 5,
}));

/** One of the volunteers: whose job it is. */
export const SUBMITTER = 6;

export const aDigest = fc.constantFrom('a', 'a', 'a', 'b', 'c');
/** Most units have few tasks: what names others changes nothing. */
const anOrdinal = fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(10) });
/** Anything that anybody may do to a unit, sensible at the moment or not. */
export const anAction = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ do: fc.constant('claim' as const), who: fc.nat(13), ordinal: anOrdinal }),
  },
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      ordinal: anOrdinal,
      digest: aDigest,
      outcome: fc.constantFrom(
        'ok' as const,
        'ok' as const,
        'ok' as const,
        'trap' as const,
        'infrastructure' as const,
      ),
      cycles: fc.bigInt({ min: 1n, max: 9n }),
      held: fc.boolean(),
      version: fc.constantFrom('1', '1', '1', '2'),
    }),
  },
  {
    weight: 15,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'lost' as const,
        'returned' as const,
        'errored' as const,
        'output-uploaded' as const,
        'output-timeout' as const,
      ),
      ordinal: anOrdinal,
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('link' as const), a: fc.nat(13), b: fc.nat(13) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('job-paused' as const, 'job-resumed' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancelled' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 8 * 24 }) }),
  },
);
export type UnitAction = typeof anAction extends fc.Arbitrary<infer T> ? T : never;

export const someRules = fc.record({
  quorum: fc.integer({ min: 1, max: 4 }),
  maxErrors: fc.integer({ min: 1, max: 6 }),
  maxTasks: fc.integer({ min: 4, max: 10 }),
  distinct: fc.constantFrom('account' as const, 'host' as const),
  allowSameNetwork: fc.boolean(),
  mayEarnAlone: fc.boolean(),
});
