import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WakeUp } from './wake-up.js';

const NEVER = new AbortController().signal;
/** Longer than any test may take: a wait that is not ended by its cause shows as a timeout. */
const LONG_MS = 1e9;

describe('WakeUp', () => {
  it('ends the wait when somebody has news', async () => {
    const wakeUp = new WakeUp();
    const waiting = wakeUp.wait(LONG_MS, NEVER);
    wakeUp.notify();
    await waiting;
  });

  it('does not lose news that come before the wait, and tells them once', async () => {
    const wakeUp = new WakeUp();
    wakeUp.notify();
    await wakeUp.wait(LONG_MS, NEVER);
    const order: string[] = [];
    const second = wakeUp.wait(LONG_MS, NEVER).then(() => order.push('woken'));
    order.push('still waiting');
    wakeUp.notify();
    await second;
    expect(order).toEqual(['still waiting', 'woken']);
  });

  it('leaves no listener on the signal, which outlives every wait', async () => {
    const { signal } = new AbortController();
    const wakeUp = new WakeUp();
    for (let wait = 0; wait < 3; wait += 1) {
      const waiting = wakeUp.wait(LONG_MS, signal);
      wakeUp.notify();
      await waiting;
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends when the signal aborts', async () => {
    const controller = new AbortController();
    const waiting = new WakeUp().wait(LONG_MS, controller.signal);
    controller.abort();
    await waiting;
  });
});
