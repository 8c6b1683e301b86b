import { describe, expect, it } from 'vitest';
import { aUnit } from '../testing/units.js';
import { PendingUnit } from './pending-unit.js';

function aPendingUnit() {
  const [abort, suspend] = [new AbortController(), new AbortController()];
  const heard: string[] = [];
  const pending = new PendingUnit(
    1,
    aUnit(new Uint8Array(0)),
    { signal: abort.signal, suspend: suspend.signal },
    { onAbort: () => heard.push('abort'), onSuspend: () => heard.push('suspend') },
  );
  pending.result.catch(() => {});
  return { pending, abort, suspend, heard };
}

describe('PendingUnit', () => {
  it('passes its signals on as long as its result is open', () => {
    const { abort, suspend, heard } = aPendingUnit();
    suspend.abort();
    abort.abort();
    expect(heard).toEqual(['suspend', 'abort']);
  });

  it.each(['abandon', 'endSuspended'] as const)('hears no signal after %s', (end) => {
    const { pending, abort, suspend, heard } = aPendingUnit();
    pending[end]();
    suspend.abort();
    abort.abort();
    expect(heard).toEqual([]);
  });

  it.each([
    ['abandon', 'not wanted'],
    ['endSuspended', 'kept'],
  ] as const)('%s rejects with the reason of its signal', async (end, reason) => {
    const { pending, abort, suspend } = aPendingUnit();
    abort.abort(new Error('not wanted'));
    suspend.abort(new Error('kept'));
    pending[end]();
    await expect(pending.result).rejects.toThrow(reason);
  });
});
