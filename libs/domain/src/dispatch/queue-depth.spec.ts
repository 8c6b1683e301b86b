import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_QUEUE_DEPTH, MIN_QUEUE_DEPTH, nextQueueDepth, type QueueDepth } from './queue-depth.js';

const full = (tickets: number): QueueDepth => ({ tickets, hadBacklog: true });

describe('the depth of queues', () => {
  it('doubles while volunteers empty full queues, and halves while they take hardly anything', () => {
    expect(nextQueueDepth(full(1024), 0)).toBe(2048);
    expect(nextQueueDepth(full(1024), 512)).toBe(1024);
    expect(nextQueueDepth(full(1024), 1000)).toBe(512);
  });

  it('stays where between a quarter and three quarters of it wait', () => {
    const waiting = [255, 256, 768, 769];
    expect(waiting.map((tickets) => nextQueueDepth(full(1024), tickets))).toEqual([2048, 1024, 1024, 512]);
  });

  it('is the least again after a time without enough to fill them, however empty they were', () => {
    let depth = full(MAX_QUEUE_DEPTH);
    for (let filling = 0; filling < 8; filling += 1) {
      depth = { tickets: nextQueueDepth({ ...depth, hadBacklog: false }, 0), hadBacklog: false };
    }
    expect(depth.tickets).toBe(MIN_QUEUE_DEPTH);
  });

  it('stays within its bounds', () => {
    const fillings = fc.array(
      fc.record({ hadBacklog: fc.boolean(), waiting: fc.integer({ min: 0, max: 2 * MAX_QUEUE_DEPTH }) }),
    );
    fc.assert(
      fc.property(fillings, (all) => {
        let tickets = MIN_QUEUE_DEPTH;
        for (const { hadBacklog, waiting } of all) {
          tickets = nextQueueDepth({ tickets, hadBacklog }, waiting);
          expect(tickets).toBeGreaterThanOrEqual(MIN_QUEUE_DEPTH);
          expect(tickets).toBeLessThanOrEqual(MAX_QUEUE_DEPTH);
        }
      }),
    );
  });
});
