import { describe, expect, it } from 'vitest';
import { NOW, RULES, aReportedTask, aResult, aTask, aUnit, step } from './unit-builders.fixture.js';
import { LATE_CREDIT_MS, type UnitView } from './unit-view.js';

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
    expect(disputed.unit.settledAtMs).toBeNull();
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
      expect(decision).toMatchObject({ wanted: 3, reticketFrom: null });
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

  it('takes the answer that most agree on, and of two with as many that which came first', () => {
    const reported = (digests: string) => Array.from(digests, (digest, at) => aReportedTask(at, { digest }));
    const canonicalOf = (digests: string) =>
      step(aUnit(reported(digests)), { kind: 'examined' }).unit.canonicalOrdinal;
    expect(canonicalOf('baba')).toBe(0);
    expect(canonicalOf('abbaa')).toBe(0);
    expect(canonicalOf('abbab')).toBe(1);
    expect(canonicalOf('aabbb')).toBe(2);
    expect(canonicalOf('bbbaa')).toBe(0);
  });

  it('lets two hosts of one account agree where the job allows it, and otherwise not', () => {
    const tasks = [aReportedTask(0), aReportedTask(1, {}, { accountId: 100, network: '10.0.0.0/24' })];
    const byHost = { ...RULES, distinct: 'host' } as const;
    expect(step(aUnit(tasks), { kind: 'examined' }, byHost).unit.state).toBe('valid');
    expect(step(aUnit(tasks), { kind: 'examined' }).unit.state).toBe('open');
    const sameHost = [aReportedTask(0), aReportedTask(1, {}, { hostId: 1000 })];
    expect(step(aUnit(sameHost), { kind: 'examined' }, byHost).unit.state).toBe('open');
  });

  it('settles two equal traps as failed and credits the smallest count', () => {
    const trap = (cycles: bigint) => ({ outcome: 'trap' as const, digest: 't', cycles });
    const { unit, decision } = step(aUnit([aReportedTask(0, trap(90n)), aReportedTask(1, trap(80n))]), {
      kind: 'examined',
    });
    expect(unit).toMatchObject({ state: 'failed', canonicalOrdinal: 0 });
    expect(decision.failure).toBe('2 volunteers agree that it ends with "trap"');
    expect(decision.credits.map(({ cycles }) => cycles)).toEqual([80n, 80n]);
    const alone = step(
      aUnit([aReportedTask(0, trap(90n))], { wanted: 1 }),
      { kind: 'examined' },
      { ...RULES, quorum: 1 },
    );
    expect(alone.decision.failure).toBe('1 volunteer says that it ends with "trap"');
  });

  it('fails after maxErrors failed tasks and at the end of maxTasks', () => {
    const errors = Array.from({ length: 6 }, (_, i) => aTask(i, { state: 'error', counts: false }));
    expect(step(aUnit(errors), { kind: 'examined' }).decision.failure).toBe(
      '6 tasks failed (maxErrors is 6)',
    );
    const failures = (['reported', 'valid', 'invalid'] as const).map((state, at) =>
      aReportedTask(at, { outcome: 'exit', digest: `exit ${at}` }, { state }),
    );
    const strict = { ...RULES, maxErrors: 3 };
    expect(step(aUnit(failures), { kind: 'examined' }, strict).decision.failure).toBe(
      '3 tasks failed (maxErrors is 3)',
    );
    expect(step(aUnit(failures.slice(1)), { kind: 'examined' }, strict).unit.state).toBe('open');
    const fine = failures.map((task) => ({ ...task, result: aResult({ digest: task.result.digest }) }));
    expect(step(aUnit(fine), { kind: 'examined' }, strict).unit.state).toBe('open');
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
    // What it answered stands: nobody has a second word once the agreed answer can be known.
    const again = step(unit, { kind: 'reported', ordinal: 1, result: aResult() });
    expect(again.decision).toMatchObject({ isChanged: false, credits: [] });
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
    const uploaded = step(second, { kind: 'output-uploaded', ordinal: 1 }).unit;
    expect(step(uploaded, { kind: 'output-timeout', ordinal: 1 }).decision.isChanged).toBe(false);
    expect(step(uploaded, { kind: 'output-uploaded', ordinal: 1 }).decision.isChanged).toBe(false);
  });

  it('fails where nobody uploads the agreed outputs and there may be no more tasks', () => {
    const big = { outputsHeld: false };
    const rules = { ...RULES, maxTasks: 2 };
    let { unit } = step(aUnit([aReportedTask(0, big), aReportedTask(1, big)]), { kind: 'examined' }, rules);
    unit = step(unit, { kind: 'output-timeout', ordinal: 0 }, rules).unit;
    const { decision } = step(unit, { kind: 'output-timeout', ordinal: 1 }, rules);
    expect(decision).toMatchObject({
      state: 'failed',
      wanted: 2,
      failure: 'none of 2 agreeing hosts uploaded its outputs',
    });
  });

  it('wants another one where whoever was to upload the agreed outputs came to nothing', () => {
    const judged = { state: 'valid', heldCredit: 100n } as const;
    const tasks = [0, 1].map((at) => aReportedTask(at, { outputsHeld: false }, judged));
    const lost = aTask(2, { state: 'lost', counts: false });
    const { decision } = step(aUnit([...tasks, lost], { canonicalOrdinal: 1 }), { kind: 'examined' });
    expect(decision).toMatchObject({ state: 'open', wanted: 4, isChanged: true });
  });

  it('judges a wrong result while another volunteer is awaited for the agreed outputs', () => {
    const judged = { state: 'valid', heldCredit: 100n } as const;
    const tasks = [0, 1].map((at) => aReportedTask(at, { outputsHeld: false }, judged));
    const wrong = aReportedTask(2, { digest: 'b' });
    const unit = aUnit([...tasks, wrong, aTask(3)], { canonicalOrdinal: 1 });
    expect(step(unit, { kind: 'examined' }).decision).toMatchObject({
      state: 'open',
      wanted: 4,
      tasks: [{ ordinal: 2, state: 'invalid' }],
      isChanged: true,
    });
  });

  it('cancels for good: nothing is credited and later reports are ignored', () => {
    const cancelled = step(aUnit([aReportedTask(0), aTask(1)]), { kind: 'cancelled' });
    expect(cancelled.unit).toMatchObject({ state: 'cancelled', canonicalOrdinal: null });
    const late = step(cancelled.unit, { kind: 'reported', ordinal: 1, result: aResult() });
    expect(late.unit).toEqual(cancelled.unit);
    expect(late.decision.isChanged).toBe(false);
  });

  it('refuses replayed tickets and those nobody made, a second task of an account, and tickets of a paused job', () => {
    const unit = aUnit([aTask(0)]);
    expect(step(unit, { kind: 'assigned', task: aTask(0, { accountId: 9 }) }).unit.tasks).toHaveLength(1);
    expect(step(unit, { kind: 'assigned', task: aTask(1, { accountId: 100 }) }).unit.tasks).toHaveLength(1);
    for (const ordinal of [-1, unit.wanted]) {
      expect(step(unit, { kind: 'assigned', task: aTask(ordinal) }).unit.tasks).toHaveLength(1);
    }
    const paused = step(unit, { kind: 'job-paused' });
    expect(paused.decision.blocked).toBe('the job is paused');
    expect(step(paused.unit, { kind: 'assigned', task: aTask(1) }).unit.tasks).toHaveLength(1);
    const resumed = step(paused.unit, { kind: 'job-resumed' }).unit;
    expect(step(resumed, { kind: 'assigned', task: aTask(1) }).unit.tasks).toHaveLength(2);
  });
});
