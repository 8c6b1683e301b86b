import { expect } from 'vitest';
import { decideUnit } from './decide-unit.js';
import { areEqualResults } from './find-canonical-result.js';
import { transitionUnit } from './transition-unit.js';
import { SUBMITTER, type UnitAction, VOLUNTEERS } from './unit-actions.fixture.js';
import { NOW, aUnit } from './unit-builders.fixture.js';
import type { UnitDecision } from './unit-decision.js';
import type { UnitEvent } from './unit-event.js';
import {
  isFinalUnitState,
  LATE_CREDIT_MS,
  type Id,
  type TaskView,
  type UnitRules,
  type UnitView,
} from './unit-view.js';

const HOUR_MS = 3_600_000;

/** Plays actions against the machine as a service would, keeping its books and checking every invariant on the way. */
export class UnitLedger {
  unit: UnitView;
  now = NOW;
  readonly persons = new Map<Id, Id>(VOLUNTEERS.map((one) => [one.accountId, one.personId]));
  /** Append-only: what each task was granted (positive) and lost again. */
  readonly entries: Array<{ readonly ordinal: number; readonly cycles: bigint }> = [];

  constructor(readonly rules: UnitRules) {
    this.unit = aUnit([], { wanted: rules.quorum, submitterPersonId: SUBMITTER });
  }

  play(action: UnitAction): UnitDecision {
    const before = this.unit;
    if (action.do === 'wait') this.now += action.hours * HOUR_MS;
    const { unit, decision } = transitionUnit(before, this.eventOf(action), this.rules, this.now);
    this.now += 1000;
    this.unit = unit;
    for (const ordinal of decision.revoked) {
      const held = this.balanceOf(ordinal);
      expect(held).toBeGreaterThan(0n);
      this.entries.push({ ordinal, cycles: -held });
    }
    if (this.isTooLateFor(before)) expect(decision.credits).toEqual([]);
    for (const { ordinal, cycles } of decision.credits) {
      expect(cycles).toBeGreaterThan(0n);
      expect(this.balanceOf(ordinal)).toBe(0n);
      this.entries.push({ ordinal, cycles });
    }
    this.check(before, decision);
    this.checkLedger(before);
    return decision;
  }

  /** Seven days after it was settled, a unit earns nobody anything more. */
  private isTooLateFor({ state, settledAtMs }: UnitView): boolean {
    if (!isFinalUnitState(state) || !isFinalUnitState(this.unit.state)) return false;
    return this.now - 1000 - (settledAtMs ?? this.now) > LATE_CREDIT_MS;
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

  private eventOf(action: UnitAction): UnitEvent {
    switch (action.do) {
      case 'claim': {
        const who = VOLUNTEERS[action.who]!;
        const personId = this.persons.get(who.accountId)!;
        return { kind: 'assigned', task: { ...who, personId, ordinal: action.ordinal } };
      }
      case 'report': {
        const { ordinal, outcome, digest, cycles, held, version } = action;
        return {
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
        };
      }
      case 'link': {
        const personId = this.persons.get(action.a)!;
        const formerPersonId = this.persons.get(action.b)!;
        for (const [account, person] of this.persons) {
          if (person === formerPersonId) this.persons.set(account, personId);
        }
        return { kind: 'accounts-linked', personId, formerPersonId };
      }
      case 'wait':
        return { kind: 'examined' };
      case 'cancelled':
      case 'job-paused':
      case 'job-resumed':
        return { kind: action.do };
      case 'lost':
      case 'returned':
      case 'errored':
      case 'output-uploaded':
      case 'output-timeout':
        return { kind: action.do, ordinal: action.ordinal };
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
