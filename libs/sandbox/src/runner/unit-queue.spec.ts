import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aUnit } from '../testing/units.js';
import { PendingUnit } from './pending-unit.js';
import { MAX_BATCH_BYTES, MAX_BATCH_UNITS, UnitQueue } from './unit-queue.js';

const NO_EVENTS = { onAbort: () => {}, onSuspend: () => {} };

function pendingUnits(count: number, inlineBytes = 0): PendingUnit[] {
  const inputs = { a: { kind: 'bytes', bytes: new Uint8Array(inlineBytes) } } as const;
  const unit = aUnit(new Uint8Array(0), { inputs });
  return Array.from({ length: count }, (_, i) => new PendingUnit(i + 1, unit, {}, NO_EVENTS));
}

function queueOf(units: readonly PendingUnit[]): UnitQueue {
  const queue = new UnitQueue();
  for (const unit of units) queue.add(unit);
  return queue;
}

const idsOf = (units: readonly PendingUnit[]) => units.map(({ id }) => id);

describe('UnitQueue', () => {
  it('sends small units together up to a bound, and more when half of them are done', () => {
    const units = pendingUnits(3 * MAX_BATCH_UNITS);
    const queue = queueOf(units);
    expect(queue.takeBatch()).toEqual(units.slice(0, MAX_BATCH_UNITS));
    expect(queue.takeBatch()).toEqual([]);
    for (let id = 1; id <= MAX_BATCH_UNITS / 2; id++) queue.takeSent(id);
    expect(queue.takeBatch()).toEqual([]);
    queue.takeHead();
    expect(queue.takeBatch()).toEqual(units.slice(MAX_BATCH_UNITS, 2 * MAX_BATCH_UNITS));
  });

  it.each([
    ['as many as fit', MAX_BATCH_BYTES / 4, 4],
    ['one that is larger than a batch alone', MAX_BATCH_BYTES + 1, 1],
  ])('bounds the bytes that travel together: %s', (_, inlineBytes, together) => {
    expect(queueOf(pendingUnits(6, inlineBytes)).takeBatch()).toHaveLength(together);
  });

  it('tells where a unit was that nobody waits for any more', () => {
    const [running, sent, finished, waiting] = pendingUnits(4) as [
      PendingUnit,
      PendingUnit,
      PendingUnit,
      PendingUnit,
    ];
    const queue = queueOf([finished, running, sent]);
    queue.takeBatch();
    queue.takeSent(finished.id);
    queue.add(waiting);
    const withdraw = (pending: PendingUnit) => queue.withdraw(pending);
    expect([running, sent, finished, waiting].map(withdraw)).toEqual([
      'is-running',
      'was-sent',
      'is-gone',
      'was-waiting',
    ]);
    expect(queue.hasWaiting).toBe(false);
  });

  it('gives up units that were to be kept when the sandbox ends, and the rest comes first again', () => {
    const [head, kept, innocent, abandoned, waiting] = pendingUnits(5) as [
      PendingUnit,
      PendingUnit,
      PendingUnit,
      PendingUnit,
      PendingUnit,
    ];
    const queue = queueOf([head, kept, innocent, abandoned]);
    queue.takeBatch();
    queue.add(waiting);
    expect(queue.suspend(kept)).toBe(true);
    expect(queue.isSuspending).toBe(true);
    abandoned.result.catch(() => {});
    abandoned.abandon();
    queue.takeHead();
    expect(queue.requeueSent()).toEqual([kept]);
    expect(queue.isSuspending).toBe(false);
    expect(queue.takeBatch()).toEqual([innocent, waiting]);
  });

  it('loses and doubles no unit and keeps their order, whatever happens in between', () => {
    const step = fc.record({
      what: fc.constantFrom('add', 'send', 'finish', 'withdraw', 'suspend', 'restart'),
      which: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const units = pendingUnits(steps.length);
        const queue = new UnitQueue();
        let sent: number[] = [];
        let waiting: number[] = [];
        let suspending: number[] = [];
        for (const [at, { what, which }] of steps.entries()) {
          const all = [...sent, ...waiting];
          const chosen = units[(all[which % Math.max(1, all.length)] ?? 0) - 1];
          switch (what) {
            case 'add':
              queue.add(units[at] as PendingUnit);
              waiting.push(at + 1);
              break;
            case 'send':
              expect(idsOf(queue.takeBatch())).toEqual(waiting);
              sent.push(...waiting.splice(0));
              break;
            case 'finish': {
              const id = sent[which % Math.max(1, sent.length)];
              expect(queue.takeSent(id ?? -1)?.id).toBe(id);
              sent = sent.filter((other) => other !== id);
              break;
            }
            case 'withdraw':
              if (chosen === undefined) break;
              if (queue.withdraw(chosen) !== 'was-waiting') queue.takeSent(chosen.id);
              sent = sent.filter((id) => id !== chosen.id);
              waiting = waiting.filter((id) => id !== chosen.id);
              break;
            case 'suspend':
              if (chosen === undefined) break;
              expect(queue.suspend(chosen)).toBe(sent.includes(chosen.id));
              if (sent.includes(chosen.id)) suspending.push(chosen.id);
              else waiting = waiting.filter((id) => id !== chosen.id);
              break;
            case 'restart':
              expect(idsOf(queue.requeueSent())).toEqual(sent.filter((id) => suspending.includes(id)));
              waiting = [...sent.filter((id) => !suspending.includes(id)), ...waiting];
              sent = [];
          }
          suspending = suspending.filter((id) => sent.includes(id));
          expect(queue.isSuspending).toBe(suspending.length > 0);
          expect(queue.head?.id).toBe(sent[0]);
          expect(queue.hasWaiting).toBe(waiting.length > 0);
        }
        expect(idsOf(queue.takeAll())).toEqual([...sent, ...waiting]);
      }),
    );
  });
});
