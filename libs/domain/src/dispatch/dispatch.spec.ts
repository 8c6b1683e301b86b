import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from './backoff-delay.js';
import { interleave, shareTickets, type JobDemand } from './fair-share.js';
import { laneOfAccount, laneOfTicket, lanesInOrder } from './lanes.js';
import { UNIT_CLASSES, classOfUnit, classesOfHost, isForAgentsOnly, memoryOfClass } from './unit-class.js';

describe('lanes', () => {
  it('spread consecutive accounts evenly, whether ids come as numbers or text', () => {
    const counts = Array<number>(8).fill(0);
    for (let id = 1; id <= 8000; id += 1) {
      const lane = laneOfAccount(id, 8);
      expect(laneOfAccount(String(id), 8)).toBe(lane);
      counts[lane] = (counts[lane] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('hold the tasks of one unit apart, and serve every lane after the own', () => {
    expect(new Set([0, 1, 2].map((ordinal) => laneOfTicket(41, ordinal, 8))).size).toBe(3);
    const order = lanesInOrder(77, 8);
    expect(order[0]).toBe(laneOfAccount(77, 8));
    expect(new Set(order).size).toBe(8);
  });

  it('refuse what is no id', () => {
    expect(() => laneOfAccount('1e99', 8)).toThrow(RangeError);
  });
});

describe('unit classes', () => {
  it('are the smallest memory step that holds the unit, for browsers where they can run it', () => {
    expect(classOfUnit(64, true)).toBe('browser-64');
    expect(classOfUnit(65, true)).toBe('browser-128');
    expect(classOfUnit(64, false)).toBe('agent-64');
    expect(classOfUnit(2000, true)).toBe('agent-2048');
    expect(() => classOfUnit(4097, false)).toThrow(RangeError);
  });

  it.each(['agent', 'browser'] as const)(
    'that an %s does not serve ask for more memory than it offers, or for an agent',
    (kind) => {
      const anyMiB = fc.integer({ min: 1, max: 4096 });
      fc.assert(
        fc.property(anyMiB, fc.boolean(), anyMiB, (unitMiB, isBrowserAble, offeredMiB) => {
          const unitClass = classOfUnit(unitMiB, isBrowserAble);
          if (kind === 'browser' && isForAgentsOnly(unitClass)) {
            expect(classesOfHost(kind, 4096)).not.toContain(unitClass);
            return;
          }
          const neededMiB = memoryOfClass(unitClass);
          expect(neededMiB).toBeGreaterThanOrEqual(unitMiB);
          expect(classesOfHost(kind, offeredMiB).includes(unitClass)).toBe(offeredMiB >= neededMiB);
        }),
      );
    },
  );

  it('that a host serves begin with what fewer hosts can do', () => {
    expect(classesOfHost('agent', 300)).toEqual(
      [256, 128, 64].flatMap((step) => [`agent-${step}`, `browser-${step}`]),
    );
    expect(classesOfHost('browser', 4096)).toEqual(
      [1024, 512, 256, 128, 64].map((step) => `browser-${step}`),
    );
    expect(classesOfHost('agent', 32)).toEqual([]);
    expect(classesOfHost('agent', 1 << 20)).toEqual(UNIT_CLASSES);
  });
});

describe('interleave', () => {
  it('mixes jobs by how much each has, and keeps the order of each', () => {
    expect(
      interleave([
        [1, 2, 3, 4, 5, 6],
        [10, 11],
      ]),
    ).toEqual([1, 2, 10, 3, 4, 5, 11, 6]);
    expect(interleave([[], [3, 1, 2]])).toEqual([3, 1, 2]);
  });

  it('gives of each beginning of the row to each job about its part', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { minLength: 1, maxLength: 8 }), (lengths) => {
        const row = interleave(
          lengths.map((length, job) => Array.from({ length }, (_, at) => ({ job, at }))),
        );
        const seen = lengths.map(() => 0);
        for (const [n, { job, at }] of row.entries()) {
          expect(at).toBe(seen[job]);
          seen[job]! += 1;
          for (const [other, length] of lengths.entries()) {
            const part = ((n + 1) * length) / row.length;
            expect(Math.abs(seen[other]! - part)).toBeLessThan(1 + lengths.length / 2);
          }
        }
        expect(seen).toEqual(lengths);
      }),
    );
  });
});

describe('shareTickets', () => {
  const aJob = (about: Partial<JobDemand>): JobDemand => ({
    jobId: 1,
    share: 1,
    backlog: 1000,
    queued: 0,
    ...about,
  });

  it('divides by share, and gives what one job cannot use to the others', () => {
    expect(shareTickets([aJob({}), aJob({ share: 3 })], 400)).toEqual([100, 300]);
    expect(shareTickets([aJob({ backlog: 10 }), aJob({}), aJob({})], 410)).toEqual([10, 200, 200]);
    expect(shareTickets([aJob({ backlog: 5 }), aJob({ backlog: 7 })], 400)).toEqual([5, 7]);
  });

  it('gives what rounding leaves to whoever has fewest for the share', () => {
    expect(shareTickets([aJob({ share: 3 }), aJob({})], 2)).toEqual([1, 1]);
  });

  it('makes up for what waits already', () => {
    expect(shareTickets([aJob({ queued: 300 }), aJob({})], 500)).toEqual([100, 400]);
    expect(shareTickets([aJob({ queued: 900 }), aJob({})], 500)).toEqual([0, 500]);
  });

  it('never gives more than a backlog, nor less in all than there is room and work for', () => {
    const job = fc.record({
      jobId: fc.nat(),
      share: fc.integer({ min: 1, max: 1000 }),
      backlog: fc.nat(100_000),
      queued: fc.nat(100_000),
    });
    fc.assert(
      fc.property(fc.array(job, { maxLength: 20 }), fc.nat(100_000), (jobs, capacity) => {
        const grants = shareTickets(jobs, capacity);
        const total = grants.reduce((sum, grant) => sum + grant, 0);
        const backlog = jobs.reduce((sum, { backlog }) => sum + backlog, 0);
        expect(total).toBe(Math.min(capacity, backlog));
        grants.forEach((grant, at) => {
          expect(Number.isInteger(grant) && grant >= 0 && grant <= jobs[at]!.backlog).toBe(true);
        });
        // Nobody who still has work stands a whole ticket lower than somebody who was given more.
        for (const [i, a] of jobs.entries()) {
          for (const [j, b] of jobs.entries()) {
            if (grants[i]! >= a.backlog || grants[j] === 0) continue;
            expect((b.queued + grants[j]! - 1) / b.share).toBeLessThanOrEqual(
              (a.queued + grants[i]! + 1) / a.share + 1e-6,
            );
          }
        }
      }),
    );
  });
});

describe('backoffDelayMs', () => {
  const rules = { baseMs: 1000, maxMs: 60_000 };

  it('doubles up to its bound, spread over the upper half', () => {
    expect(backoffDelayMs(1, rules, 0)).toBe(500);
    expect(backoffDelayMs(3, rules, 0.5)).toBe(3000);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, random) => {
          const delay = backoffDelayMs(failures, rules, random);
          expect(delay).toBeGreaterThanOrEqual(500);
          expect(delay).toBeLessThanOrEqual(60_000);
        },
      ),
    );
  });

  it('never comes back before the server asked', () => {
    expect(backoffDelayMs(1, rules, 0, 90_000)).toBe(90_000);
    expect(backoffDelayMs(1, rules, 0.9, 90_000)).toBe(90_450);
  });
});
