import { describe, expect, it } from 'vitest';
import { NOW, RULES, aReportedTask, aResult, aTask, aUnit, step } from './unit-builders.fixture.js';
import { LATE_CREDIT_MS } from './unit-view.js';

describe('credit of a work unit', () => {
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

  it('leaves a unit settled whose job has ended, and takes back only what one person earned twice', () => {
    const ended = aUnit([aReportedTask(0), aReportedTask(1)], { jobEnded: true });
    const valid = step(ended, { kind: 'examined' }).unit;
    const { unit, decision } = step(valid, { kind: 'accounts-linked', personId: 100, formerPersonId: 101 });
    expect(unit).toMatchObject({ state: 'valid', canonicalOrdinal: 0 });
    expect(decision).toMatchObject({ credits: [], revoked: [1] });
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
});
