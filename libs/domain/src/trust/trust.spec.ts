import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_ALLOWANCE_RULES,
  allowanceAfter,
  allowanceLeft,
  initialAllowancePerDay,
} from './allowance.js';
import { countedCores } from './counted-cores.js';
import { earnsCredit, mayRunApp } from './earns-credit.js';
import { holdReason } from './hold-reason.js';
import { networkPrefix } from './network-prefix.js';
import { noWorkReason } from './no-work.js';
import { grantableTasks } from './tasks-in-progress.js';
import { whyHostRests } from './why-host-rests.js';

describe('daily allowance', () => {
  const rules = { initialPerCore: 4, maxPerCore: 100 };

  it('starts small, doubles with each valid result and halves with each invalid one, within bounds', () => {
    expect(initialAllowancePerDay(2, rules)).toBe(8);
    expect(allowanceAfter(8, { valid: 1, invalid: 0 }, 2, rules)).toBe(16);
    expect(allowanceAfter(8, { valid: 99, invalid: 0 }, 2, rules)).toBe(200);
    expect(allowanceAfter(8, { valid: 0, invalid: 2 }, 2, rules)).toBe(2);
    expect(allowanceAfter(5, { valid: 0, invalid: 1 }, 2, rules)).toBe(2);
    expect(allowanceAfter(8, { valid: 1, invalid: 40 }, 2, rules)).toBe(1);
    expect(allowanceAfter(8, { valid: 0, invalid: 0 }, 2, rules)).toBe(8);
  });

  it('always fits its column', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.nat(100),
        fc.nat(100),
        fc.integer({ min: 1, max: 1024 }),
        (perDay, valid, invalid, cores) => {
          const after = allowanceAfter(perDay, { valid, invalid }, cores, {
            initialPerCore: 1,
            maxPerCore: 1e9,
          });
          expect(Number.isInteger(after) && after >= 1 && after <= 2 ** 31 - 1).toBe(true);
        },
      ),
    );
    expect(allowanceAfter(1, { valid: 1, invalid: 0 }, 1, DEFAULT_ALLOWANCE_RULES)).toBe(2);
  });

  it('is used up within a UTC day and starts anew at the next', () => {
    const now = Date.UTC(2026, 10, 20, 23, 59, 59);
    const use = { perDay: 10, day: '2026-11-20', used: 7 };
    expect(allowanceLeft(use, now)).toEqual({ left: 3, resetsAt: new Date('2026-11-21T00:00:00Z') });
    expect(allowanceLeft(use, now + 1000)).toEqual({ left: 10, resetsAt: new Date('2026-11-22T00:00:00Z') });
    expect(allowanceLeft({ ...use, used: 12 }, now).left).toBe(0);
  });
});

describe('tasks in progress', () => {
  it('are bounded by cores and for the whole host', () => {
    const of = { requested: 64, inProgress: 5, cores: 2, perCore: 16, perHost: 1024 };
    expect(grantableTasks(of)).toBe(27);
    expect(grantableTasks({ ...of, cores: 1024, inProgress: 1000 })).toBe(24);
    expect(grantableTasks({ ...of, inProgress: 99 })).toBe(0);
  });
});

describe('declared cores', () => {
  it('are believed up to a start and one more with each validated result', () => {
    const crowd = { declared: 1024, anonymous: true, validTasks: 0 };
    expect(countedCores(crowd)).toBe(4);
    expect(countedCores({ ...crowd, anonymous: false })).toBe(16);
    expect(countedCores({ ...crowd, validTasks: 60 })).toBe(64);
    expect(countedCores({ ...crowd, validTasks: 1e6 })).toBe(1024);
    expect(countedCores({ ...crowd, declared: 2 })).toBe(2);
  });

  it('are named where not all of them count yet', () => {
    const cause = { code: 'too-many-in-progress', inProgress: 64, cap: 64 } as const;
    expect(noWorkReason({ ...cause, countedCores: 4, cores: 1024 }).message).toBe(
      '64 tasks in progress of at most 64: this host counts as 4 of its 1024 cores until more of its results are confirmed',
    );
    expect(noWorkReason({ ...cause, countedCores: 4, cores: 4 }).message).toBe(
      '64 tasks in progress of at most 64: report some first',
    );
  });
});

describe('networkPrefix', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['::FFFF:c000:24d', '192.0.2.0/24'],
    ['2001:db8:1:2::5', '2001:db8:1::/48'],
    ['2001:0DB8:0001:ffff:1:2:3:4', '2001:db8:1::/48'],
    ['fe80::1%eth0', 'fe80:0:0::/48'],
    ['::1', '0:0:0::/48'],
    ['1:2:3:4:5:6:7::', '1:2:3::/48'],
  ])('of %s is %s', (address, prefix) => expect(networkPrefix(address)).toBe(prefix));

  it.each([
    undefined,
    '',
    'localhost',
    '1.2.3',
    '1.2.3.256',
    '1.2.3.-4',
    '1::2::3',
    '1:2:3',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '1:2:3:4:5:6:7:8::',
  ])('of %j is unknown', (address) => expect(networkPrefix(address)).toBeNull());
});

describe('credit', () => {
  const eligible = { isAppApproved: true, isHostHeld: false, personId: 1, submitterPersonId: 2 };

  it('needs an approved app, a host in good standing and somebody else than the submitter', () => {
    expect(earnsCredit(eligible)).toBe(true);
    expect(earnsCredit({ ...eligible, isAppApproved: false })).toBe(false);
    expect(earnsCredit({ ...eligible, isHostHeld: true })).toBe(false);
    expect(earnsCredit({ ...eligible, personId: 2 })).toBe(false);
  });

  it('cannot be earned with unapproved apps, which run only for their submitter', () => {
    expect(mayRunApp({ isAppApproved: false, personId: 1, submitterPersonId: 2 })).toBe(false);
    expect(mayRunApp({ isAppApproved: false, personId: 2, submitterPersonId: 2 })).toBe(true);
  });

  it('is held where more was counted than a host can do', () => {
    const hour = { elapsedMs: 3_600_000 };
    expect(holdReason({ ...hour, cycles: 10n ** 13n }, 2e9)).toBeNull();
    expect(holdReason({ ...hour, cycles: 10n ** 14n }, 2e9)).toBe(
      'reported 2.78e+10 cycles/s per core, more than the 8.00e+9 that it can do',
    );
    expect(holdReason({ ...hour, cycles: 10n ** 14n }, null)).toBeNull();
    expect(holdReason({ ...hour, cycles: 2n * 10n ** 14n }, null)).toMatch(/more than the 4\.80e\+10/);
    expect(holdReason({ cycles: 1000n, elapsedMs: 0 }, null)).toBeNull();
  });
});

describe('noWorkReason', () => {
  it('says what a volunteer can do about it', () => {
    expect(noWorkReason({ code: 'memory-too-small', units: 3, neededMiB: 512, offeredMiB: 256 })).toEqual({
      code: 'memory-too-small',
      count: 3,
      message: '3 units need 512 MiB, you offer 256',
    });
    expect(noWorkReason({ code: 'allowance-used', perDay: 16, resetsAt: new Date(0) })).toEqual({
      code: 'allowance-used',
      count: null,
      message: 'the allowance of 16 tasks a day is used, resets at 1970-01-01 00:00 UTC',
    });
    expect(noWorkReason({ code: 'agents-only', units: 2 }).message).toBe(
      '2 units cannot be computed in a browser: only agents get them',
    );
    expect(noWorkReason({ code: 'already-has-task', units: 1 }).message).toBe(
      '1 unit already has a task of yours',
    );
  });
});

describe('whyHostRests', () => {
  const wished = (run: 'run' | 'pause' | 'finish') => ({ heldReason: null, wishes: { run, version: 7 } });

  it('is what its owner wishes, unless whoever sits at it has overruled that since', () => {
    expect(whyHostRests({ heldReason: null, wishes: null }, undefined)).toBeNull();
    expect(whyHostRests(wished('run'), undefined)).toBeNull();
    expect(whyHostRests(wished('pause'), undefined)).toEqual({ code: 'owner-paused', run: 'pause' });
    expect(whyHostRests(wished('finish'), 6)).toEqual({ code: 'owner-paused', run: 'finish' });
    expect(whyHostRests(wished('pause'), 7)).toBeNull();
  });

  it('is that it is held, whatever anybody wishes', () => {
    const held = { code: 'host-held', reason: 'too fast' };
    expect(whyHostRests({ ...wished('pause'), heldReason: 'too fast' }, 7)).toEqual(held);
  });
});
