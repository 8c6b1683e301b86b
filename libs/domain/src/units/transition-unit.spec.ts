import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideUnit } from './decide-unit.js';
import { areEqualResults } from './find-canonical-result.js';
import { transitionUnit } from './transition-unit.js';
import { RULES, aReportedTask, aResult, aTask, aUnit } from './unit-builders.js';
import type { UnitDecision } from './unit-decision.js';
import type { UnitEvent } from './unit-event.js';
import type { Id, Party, TaskView, UnitRules, UnitView } from './unit-view.js';
import { LATE_CREDIT_MS, isFinalUnitState } from './unit-view.js';

const NOW = Date.UTC(2026, 10, 21);
const step = (unit: UnitView, event: UnitEvent, rules: UnitRules = RULES, now = NOW) =>
  transitionUnit(unit, event, rules, now);
const stateOf = (unit: UnitView, ordinal: number) =>
  unit.tasks.find((task) => task.ordinal === ordinal)?.state;

describe('transitionUnit', () => {
  it('settles a unit when two independent volunteers agree, credits both and drops the copy', () => {
    const { unit, decision } = step(aUnit([aReportedTask(0), aReportedTask(1)]), { kind: 'examined' });
    expect(unit).toMatchObject({ state: 'valid', canonicalOrdinal: 0, settledAtMs: NOW });
    expect(decision.credits).toEqual([
      { ordinal: 0, cycles: 100n },
      { ordinal: 1, cycles: 100n },
    ]);
    expect(decision.dropOutputsOf).toEqual([1]);
  });

  it('wants a third task when two disagree, and judges all three by it', () => {
    const disputed = step(aUnit([aReportedTask(0), aReportedTask(1, { digest: 'b' })]), { kind: 'examined' });
    expect(disputed.decision).toMatchObject({ state: 'open', wanted: 3, isChanged: true });
    expect(disputed.decision.blocked).toMatch(/^needs another account .*2 different results/);
    const claimed = step(disputed.unit, { kind: 'assigned', task: aTask(2) });
    expect(claimed.decision.blocked).toBeNull();
    const settled = step(claimed.unit, { kind: 'reported', ordinal: 2, result: aResult({ digest: 'b' }) });
    expect(settled.unit).toMatchObject({ state: 'valid', canonicalOrdinal: 1 });
    expect(settled.decision.tasks).toEqual([
      { ordinal: 0, state: 'invalid', counts: true },
      { ordinal: 1, state: 'valid', counts: true },
      { ordinal: 2, state: 'valid', counts: true },
    ]);
    expect(settled.decision.credits.map(({ ordinal }) => ordinal)).toEqual([1, 2]);
  });

  it('never lets two anonymous hosts agree, and says what it needs', () => {
    const tasks = [aReportedTask(0, {}, { anonymous: true }), aReportedTask(1, {}, { anonymous: true })];
    const { decision } = step(aUnit(tasks), { kind: 'examined' });
    expect(decision).toMatchObject({ state: 'open', wanted: 3 });
    expect(decision.blocked).toBe(
      'needs another account that is not anonymous and on another network: 1 of 2 independent results so far',
    );
  });

  it('replaces lost, returned and failed tasks', () => {
    const unit = aUnit([aTask(0), aTask(1)]);
    for (const kind of ['lost', 'returned', 'errored'] as const) {
      const { decision } = step(unit, { kind, ordinal: 1 });
      expect(decision.wanted).toBe(3);
      expect(decision.tasks).toEqual([
        {
          ordinal: 1,
          state: kind === 'lost' ? 'lost' : kind === 'returned' ? 'aborted' : 'error',
          counts: false,
        },
      ]);
    }
  });

  it('counts a lost task that reports after all, unless its account has another', () => {
    const lost = step(aUnit([aReportedTask(0), aTask(1)]), { kind: 'lost', ordinal: 1 }).unit;
    expect(step(lost, { kind: 'reported', ordinal: 1, result: aResult() }).unit.state).toBe('valid');
    const again = step(lost, { kind: 'assigned', task: aTask(2, { accountId: 101 }) }).unit;
    const late = step(again, { kind: 'reported', ordinal: 1, result: aResult() });
    expect(late.unit.tasks[1]).toMatchObject({ state: 'reported', counts: false });
    expect(late.unit.state).toBe('open');
  });

  it('settles two equal traps as failed and credits the smallest count', () => {
    const trap = (cycles: bigint) => ({ outcome: 'trap' as const, digest: 't', cycles });
    const { unit, decision } = step(aUnit([aReportedTask(0, trap(90n)), aReportedTask(1, trap(80n))]), {
      kind: 'examined',
    });
    expect(unit).toMatchObject({ state: 'failed', canonicalOrdinal: 0 });
    expect(decision.failure).toBe('2 volunteers agree that it ends with "trap"');
    expect(decision.credits.map(({ cycles }) => cycles)).toEqual([80n, 80n]);
  });

  it('fails after maxErrors failed tasks and at the end of maxTasks', () => {
    const errors = Array.from({ length: 6 }, (_, i) => aTask(i, { state: 'error', counts: false }));
    expect(step(aUnit(errors), { kind: 'examined' }).decision.failure).toBe(
      '6 tasks failed (maxErrors is 6)',
    );
    const different = Array.from({ length: 10 }, (_, i) => aReportedTask(i, { digest: String(i) }));
    expect(step(aUnit(different), { kind: 'examined' }).decision).toMatchObject({
      state: 'failed',
      failure: 'no 2 independent volunteers agreed within 10 tasks (maxTasks)',
      credits: [],
    });
  });

  it('never compares results of two runtime versions', () => {
    const tasks = [aReportedTask(0), aReportedTask(1, { runtimeVersion: '2' }), aReportedTask(2)];
    const { unit } = step(aUnit(tasks), { kind: 'examined' });
    expect(unit.state).toBe('valid');
    expect(stateOf(unit, 1)).toBe('aborted');
  });

  it('credits a late equal result for seven days, and calls a late different one invalid', () => {
    const settled = step(aUnit([aReportedTask(0), aReportedTask(1), aTask(2)]), { kind: 'examined' }).unit;
    expect(stateOf(settled, 2)).toBe('aborted');
    const report = (digest: string, now: number) =>
      step(settled, { kind: 'reported', ordinal: 2, result: aResult({ digest }) }, RULES, now);
    const inTime = report('a', NOW + LATE_CREDIT_MS);
    expect(inTime.decision.credits).toEqual([{ ordinal: 2, cycles: 100n }]);
    expect(inTime.unit).toMatchObject({ state: 'valid', canonicalOrdinal: 0 });
    const tooLate = report('a', NOW + LATE_CREDIT_MS + 1);
    expect(tooLate.decision.credits).toEqual([]);
    expect(stateOf(tooLate.unit, 2)).toBe('valid');
    expect(stateOf(report('b', NOW).unit, 2)).toBe('invalid');
  });

  it('asks one agreeing host after the other for outputs that were too large to travel', () => {
    const big = { outputsHeld: false };
    const agreed = step(aUnit([aReportedTask(0, big), aReportedTask(1, big)]), { kind: 'examined' });
    expect(agreed.decision).toMatchObject({ state: 'awaiting-output', askUploadOf: 0 });
    expect(agreed.decision.credits).toHaveLength(2);
    const second = step(agreed.unit, { kind: 'output-timeout', ordinal: 0 });
    expect(second.decision).toMatchObject({ state: 'awaiting-output', askUploadOf: 1, credits: [] });
    const uploaded = step(second.unit, { kind: 'output-uploaded', ordinal: 1 });
    expect(uploaded.unit).toMatchObject({ state: 'valid', canonicalOrdinal: 1 });
    const nobody = step(second.unit, { kind: 'output-timeout', ordinal: 1 });
    expect(nobody.decision).toMatchObject({ state: 'open', wanted: 3, reticketFrom: 2 });
    const third = step(nobody.unit, { kind: 'assigned', task: aTask(2) }).unit;
    const asked = step(third, { kind: 'reported', ordinal: 2, result: aResult(big) });
    expect(asked.decision).toMatchObject({ state: 'awaiting-output', askUploadOf: 2 });
    expect(asked.decision.credits).toEqual([{ ordinal: 2, cycles: 100n }]);
  });

  it('ignores the timeout of a host that is no longer asked', () => {
    const big = { outputsHeld: false };
    const agreed = step(aUnit([aReportedTask(0, big), aReportedTask(1, big)]), { kind: 'examined' }).unit;
    const second = step(agreed, { kind: 'output-timeout', ordinal: 0 }).unit;
    expect(step(second, { kind: 'output-timeout', ordinal: 0 }).decision.isChanged).toBe(false);
  });

  it('re-queues a unit validated only by accounts that turn out to be linked, and takes credit back from a lie', () => {
    const valid = step(aUnit([aReportedTask(0), aReportedTask(1)]), { kind: 'examined' }).unit;
    const linked = step(valid, { kind: 'accounts-linked', personId: 100, formerPersonId: 101 });
    expect(linked.decision).toMatchObject({
      state: 'open',
      wanted: 3,
      canonicalOrdinal: null,
      credits: [],
      revoked: [1],
      reticketFrom: 2,
    });
    let unit = step(linked.unit, { kind: 'assigned', task: aTask(2) }).unit;
    unit = step(unit, { kind: 'reported', ordinal: 2, result: aResult({ digest: 'truth' }) }).unit;
    unit = step(unit, { kind: 'assigned', task: aTask(3) }).unit;
    const settled = step(unit, { kind: 'reported', ordinal: 3, result: aResult({ digest: 'truth' }) });
    expect(settled.unit).toMatchObject({ state: 'valid', canonicalOrdinal: 2 });
    expect(settled.decision.revoked).toEqual([0]);
    expect(settled.decision.credits.map(({ ordinal }) => ordinal)).toEqual([2, 3]);
  });

  it('gives credit back to whoever lost it by mistake', () => {
    const valid = step(aUnit([aReportedTask(0), aReportedTask(1)]), { kind: 'examined' }).unit;
    let { unit } = step(valid, { kind: 'accounts-linked', personId: 100, formerPersonId: 101 });
    for (const ordinal of [2, 3]) {
      unit = step(unit, { kind: 'assigned', task: aTask(ordinal) }).unit;
      unit = step(unit, { kind: 'reported', ordinal, result: aResult({ digest: 'b' }) }).unit;
    }
    expect(unit.tasks.map(({ heldCredit }) => heldCredit)).toEqual([null, null, 100n, 100n]);
    // The two who outvoted the first are one person as well, and a third stands by the first.
    unit = step(unit, { kind: 'accounts-linked', personId: 102, formerPersonId: 103 }).unit;
    unit = step(unit, { kind: 'assigned', task: aTask(4) }).unit;
    const settled = step(unit, { kind: 'reported', ordinal: 4, result: aResult() });
    expect(settled.unit.tasks.map(({ heldCredit }) => heldCredit)).toEqual([100n, null, null, null, 100n]);
  });

  it('lets a task earn whose person held credit by another one that is wrong now', () => {
    const linked = { personId: 100 };
    const tasks = [
      { ...aReportedTask(0, { digest: 'b' }, { state: 'invalid' }) },
      { ...aReportedTask(1, {}, { ...linked, state: 'valid', heldCredit: 100n }) },
      aReportedTask(2, { digest: 'b' }),
    ];
    const { decision } = step(aUnit(tasks), { kind: 'examined' });
    expect(decision.revoked).toEqual([1]);
    expect(decision.credits.map(({ ordinal }) => ordinal)).toEqual([0, 2]);
  });

  it('leaves a unit alone when enough others vouch for it beside the linked accounts', () => {
    const valid = step(aUnit([aReportedTask(0), aReportedTask(1), aReportedTask(2)]), {
      kind: 'examined',
    }).unit;
    const { decision } = step(valid, { kind: 'accounts-linked', personId: 100, formerPersonId: 101 });
    expect(decision).toMatchObject({ state: 'valid', tasks: [], credits: [] });
  });

  it('leaves one credit to accounts that earned two before they were linked', () => {
    const valid = step(aUnit([aReportedTask(0), aReportedTask(1), aReportedTask(2)]), {
      kind: 'examined',
    }).unit;
    const linked = step(valid, { kind: 'accounts-linked', personId: 101, formerPersonId: 102 });
    expect(linked.decision).toMatchObject({ revoked: [2], isChanged: true });
    expect(step(linked.unit, { kind: 'examined' }).decision).toMatchObject({
      revoked: [],
      isChanged: false,
    });
  });

  it('takes credit back from an account that turns out to be the submitter’s, and the answer stays', () => {
    const valid = step(aUnit([aReportedTask(0), aReportedTask(1)]), { kind: 'examined' }).unit;
    const linked = { kind: 'accounts-linked', personId: 'submitter', formerPersonId: 101 } as const;
    const claimed = step(valid, linked);
    expect(claimed.decision).toMatchObject({ state: 'valid', revoked: [1], credits: [], tasks: [] });
    expect(step(claimed.unit, { kind: 'examined' }).decision.isChanged).toBe(false);
    const inverse = { kind: 'accounts-linked', personId: 101, formerPersonId: 'submitter' } as const;
    expect(step(valid, inverse).decision.revoked).toEqual([1]);
  });

  it('pays nobody for a job of their own, whichever of their accounts computed it', () => {
    const tasks = [aReportedTask(0), aReportedTask(1, {}, { personId: 'submitter' })];
    const { decision } = step(aUnit(tasks), { kind: 'examined' });
    expect(decision.credits.map(({ ordinal }) => ordinal)).toEqual([0]);
  });

  it('leaves credit to a host that is held later', () => {
    const { unit } = step(aUnit([aReportedTask(0), aReportedTask(1)]), { kind: 'examined' });
    const held = { ...unit, tasks: unit.tasks.map((task) => ({ ...task, creditEligible: false })) };
    expect(step(held, { kind: 'examined' }).decision).toMatchObject({ revoked: [], isChanged: false });
  });

  it('pays for what nobody else has to confirm only where the operator allows it', () => {
    const alone = { ...RULES, quorum: 1 };
    const unit = aUnit([aReportedTask(0)]);
    const unpaid = step(unit, { kind: 'examined' }, alone);
    expect(unpaid.decision).toMatchObject({ state: 'valid', credits: [] });
    const allowed = step(unit, { kind: 'examined' }, { ...alone, mayEarnAlone: true });
    expect(allowed.decision.credits).toEqual([{ ordinal: 0, cycles: 100n }]);
  });

  it('pays a host for what it computed while it was held once it is released, for seven days', () => {
    const tasks = [aReportedTask(0), aReportedTask(1, {}, { creditEligible: false })];
    const { unit, decision } = step(aUnit(tasks), { kind: 'examined' });
    expect(decision.credits.map(({ ordinal }) => ordinal)).toEqual([0]);
    const released = { ...unit, tasks: unit.tasks.map((task) => ({ ...task, creditEligible: true })) };
    const paid = step(released, { kind: 'examined' }, RULES, NOW + LATE_CREDIT_MS);
    expect(paid.decision).toMatchObject({ credits: [{ ordinal: 1, cycles: 100n }], isChanged: true });
    expect(step(paid.unit, { kind: 'examined' }).decision.isChanged).toBe(false);
    const tooLate = step(released, { kind: 'examined' }, RULES, NOW + LATE_CREDIT_MS + 1);
    expect(tooLate.decision.credits).toEqual([]);
  });

  it('gives one person one credit for a unit', () => {
    const tasks = [aReportedTask(0), aReportedTask(1, {}, { personId: 100 }), aReportedTask(2)];
    const { decision } = step(aUnit(tasks), { kind: 'examined' });
    expect(decision.credits.map(({ ordinal }) => ordinal)).toEqual([0, 2]);
  });

  it('cancels for good: nothing is credited and later reports are ignored', () => {
    const cancelled = step(aUnit([aReportedTask(0), aTask(1)]), { kind: 'cancelled' });
    expect(cancelled.unit).toMatchObject({ state: 'cancelled', canonicalOrdinal: null });
    const late = step(cancelled.unit, { kind: 'reported', ordinal: 1, result: aResult() });
    expect(late.unit).toEqual(cancelled.unit);
    expect(late.decision.isChanged).toBe(false);
  });

  it('refuses a replayed ticket, a second task of an account, and tickets of a paused job', () => {
    const unit = aUnit([aTask(0)]);
    expect(step(unit, { kind: 'assigned', task: aTask(0, { accountId: 9 }) }).unit.tasks).toHaveLength(1);
    expect(step(unit, { kind: 'assigned', task: aTask(1, { accountId: 100 }) }).unit.tasks).toHaveLength(1);
    const paused = step(unit, { kind: 'job-paused' });
    expect(paused.decision.blocked).toBe('the job is paused');
    expect(step(paused.unit, { kind: 'assigned', task: aTask(1) }).unit.tasks).toHaveLength(1);
    const resumed = step(paused.unit, { kind: 'job-resumed' }).unit;
    expect(step(resumed, { kind: 'assigned', task: aTask(1) }).unit.tasks).toHaveLength(2);
  });
});

/* Random histories */

interface Volunteer extends Party {
  readonly creditEligible: boolean;
}

const volunteers: readonly Volunteer[] = Array.from({ length: 14 }, (_, i) => ({
  accountId: i,
  personId: i,
  hostId: 500 + i,
  anonymous: i % 4 === 3,
  network: i < 10 ? `net-${i % 7}` : null,
  creditEligible: i !== 5,
}));

/** One of the volunteers: whose job it is. */
const SUBMITTER = 6;

const aDigest = fc.constantFrom('a', 'a', 'a', 'b', 'c');
const anAction = fc
  .oneof(
    {
      weight: 30,
      arbitrary: fc.record({ do: fc.constant('claim' as const), who: fc.nat(13), ordinal: fc.nat(10) }),
    },
    {
      weight: 30,
      arbitrary: fc.record({
        do: fc.constant('report' as const),
        ordinal: fc.nat(10),
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
        ordinal: fc.nat(10),
      }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('link' as const), a: fc.nat(13), b: fc.nat(13) }) },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constantFrom('job-paused' as const, 'job-resumed' as const) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancelled' as const) }) },
  )
  .map((action) => action);
type Action = typeof anAction extends fc.Arbitrary<infer T> ? T : never;

const someRules = fc.record({
  quorum: fc.integer({ min: 1, max: 4 }),
  maxErrors: fc.integer({ min: 1, max: 6 }),
  maxTasks: fc.integer({ min: 4, max: 10 }),
  distinct: fc.constantFrom('account' as const, 'host' as const),
  allowSameNetwork: fc.boolean(),
  mayEarnAlone: fc.boolean(),
});

/** Plays actions against the machine as a service would, keeping its books and checking every invariant on the way. */
class Ledger {
  unit: UnitView;
  now = NOW;
  readonly persons = new Map<Id, Id>(volunteers.map((one) => [one.accountId, one.personId]));
  /** Append-only: what each task was granted (positive) and lost again. */
  readonly entries: Array<{ readonly ordinal: number; readonly cycles: bigint }> = [];

  constructor(readonly rules: UnitRules) {
    this.unit = aUnit([], { wanted: rules.quorum, submitterPersonId: SUBMITTER });
  }

  play(action: Action): UnitDecision {
    const { event } = this.eventOf(action);
    const before = this.unit;
    const { unit, decision } = transitionUnit(before, event, this.rules, this.now);
    this.now += 1000;
    this.unit = unit;
    for (const ordinal of decision.revoked) {
      const held = this.balanceOf(ordinal);
      expect(held).toBeGreaterThan(0n);
      this.entries.push({ ordinal, cycles: -held });
    }
    for (const { ordinal, cycles } of decision.credits) {
      expect(cycles).toBeGreaterThan(0n);
      expect(this.balanceOf(ordinal)).toBe(0n);
      this.entries.push({ ordinal, cycles });
    }
    this.check(before, decision);
    this.checkLedger(before);
    return decision;
  }

  private balanceOf(ordinal: number): bigint {
    return this.entries.reduce((sum, entry) => (entry.ordinal === ordinal ? sum + entry.cycles : sum), 0n);
  }

  /** What was granted is what the tasks tell, nobody holds it twice or by their own job, and nobody who deserves it goes without. */
  private checkLedger(before: UnitView): void {
    const holders: Id[] = [];
    for (const { ordinal, heldCredit, state, creditEligible, personId } of this.unit.tasks) {
      expect(heldCredit ?? 0n).toBe(this.balanceOf(ordinal));
      if (heldCredit === null) continue;
      expect({ state, creditEligible }).toEqual({ state: 'valid', creditEligible: true });
      holders.push(personId);
    }
    expect(new Set(holders).size).toBe(holders.length);
    const submitter = this.persons.get(SUBMITTER);
    expect(holders).not.toContain(submitter);
    if (this.rules.quorum === 1 && !this.rules.mayEarnAlone) {
      expect(holders).toEqual([]);
      return;
    }
    const isNewlySettled = isFinalUnitState(this.unit.state) && !isFinalUnitState(before.state);
    if (!isNewlySettled || this.unit.canonicalOrdinal === null) return;
    const deserving = this.unit.tasks.filter(
      ({ state, creditEligible, personId }) => state === 'valid' && creditEligible && personId !== submitter,
    );
    expect(new Set(holders)).toEqual(new Set(deserving.map(({ personId }) => personId)));
  }

  hasTask(ordinal: number): boolean {
    return this.unit.tasks.some((task) => task.ordinal === ordinal);
  }

  private eventOf(action: Action): { event: UnitEvent } {
    switch (action.do) {
      case 'claim': {
        const who = volunteers[action.who]!;
        return {
          event: {
            kind: 'assigned',
            task: { ...who, personId: this.persons.get(who.accountId)!, ordinal: action.ordinal },
          },
        };
      }
      case 'report': {
        const { ordinal, outcome, digest, cycles, held, version } = action;
        return {
          event: {
            kind: 'reported',
            ordinal,
            result: {
              outcome,
              digest: `${outcome}-${digest}`,
              // Equal digests mean equal counts, except of traps.
              cycles: outcome === 'trap' ? cycles : BigInt(digest.charCodeAt(0)),
              runtimeVersion: version,
              outputsHeld: held,
            },
          },
        };
      }
      case 'link': {
        const personId = this.persons.get(action.a)!;
        const formerPersonId = this.persons.get(action.b)!;
        for (const [account, person] of this.persons) {
          if (person === formerPersonId) this.persons.set(account, personId);
        }
        return { event: { kind: 'accounts-linked', personId, formerPersonId } };
      }
      case 'cancelled':
      case 'job-paused':
      case 'job-resumed':
        return { event: { kind: action.do } };
      case 'lost':
      case 'returned':
      case 'errored':
      case 'output-uploaded':
      case 'output-timeout':
        return { event: { kind: action.do, ordinal: action.ordinal } };
    }
  }

  private check(before: UnitView, decision: UnitDecision): void {
    const { unit, rules } = this;
    expect(unit.tasks.length).toBeLessThanOrEqual(rules.maxTasks);
    expect(unit.wanted).toBeLessThanOrEqual(rules.maxTasks);
    expect(unit.wanted).toBeGreaterThanOrEqual(before.wanted);
    expect(new Set(unit.tasks.map((task) => task.ordinal)).size).toBe(unit.tasks.length);
    const keys = unit.tasks
      .filter((task) => task.counts)
      .map((t) => (rules.distinct === 'host' ? t.hostId : t.accountId));
    expect(new Set(keys).size).toBe(keys.length);
    if (decision.credits.length > 0) expect(unit.canonicalOrdinal).not.toBeNull();
    if (isFinalUnitState(unit.state)) {
      expect(unit.settledAtMs).not.toBeNull();
      expect(unit.tasks.filter((task) => task.state === 'in-progress' || task.state === 'reported')).toEqual(
        [],
      );
    }
    if (unit.canonicalOrdinal !== null && unit.state !== 'open') this.checkQuorum();
    // Deciding again about what was just decided changes nothing.
    expect(decideUnit(unit, rules, this.now)).toMatchObject({
      isChanged: false,
      credits: [],
      revoked: [],
      tasks: [],
    });
  }

  private checkQuorum(): void {
    const { unit, rules } = this;
    const canonical = this.task(unit.canonicalOrdinal!).result!;
    const equal = unit.tasks.filter(
      (task) => task.counts && task.result && areEqualResults(task.result, canonical),
    );
    expect(hasIndependentSubset(equal, rules)).toBe(true);
    if (unit.state === 'valid') expect(canonical).toMatchObject({ outcome: 'ok', outputsHeld: true });
  }

  private task(ordinal: number): TaskView {
    return this.unit.tasks.find((task) => task.ordinal === ordinal)!;
  }
}

/** By trying every subset, from the rules' words and not from the code under test. */
function hasIndependentSubset(tasks: readonly TaskView[], rules: UnitRules): boolean {
  const grow = (from: number, chosen: readonly TaskView[]): boolean => {
    if (chosen.length >= rules.quorum) return true;
    for (let at = from; at < tasks.length; at += 1) {
      const next = tasks[at]!;
      const clash = chosen.some(
        (other) =>
          (other.anonymous && next.anonymous) ||
          (rules.distinct === 'host' ? other.hostId === next.hostId : other.personId === next.personId) ||
          (rules.distinct === 'account' && !rules.allowSameNetwork && other.network === next.network),
      );
      if (!clash && grow(at + 1, [...chosen, next])) return true;
    }
    return false;
  };
  return grow(0, []);
}

describe('random histories of a work unit', () => {
  it('keep every invariant: task bounds, one credit a person, independent quorums, stable decisions', () => {
    fc.assert(
      fc.property(someRules, fc.array(anAction, { maxLength: 60 }), (rules, actions) => {
        const ledger = new Ledger(rules);
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
          const ledger = new Ledger(rules);
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
              for (let who = 0; who < volunteers.length; who += 1) {
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
