import type { HostCalls, HostContext } from './host-context.js';
import { StopUnit } from './stop-unit.js';

const MAX_PERMILLE = 1000;

/** What the platform adds to WASI: neither call changes anything that the app can see. */
export function gleanerCalls(context: HostContext): HostCalls {
  return {
    progress(permille: number): void {
      context.onProgress(Math.min(MAX_PERMILLE, Math.max(0, permille)));
    },

    /** A picture for the live view, charged and checked whether or not anybody looks. */
    frame(address: number, length: number): void {
      context.charge(length >>> 0);
      if (!context.memory.holds(address >>> 0, length >>> 0)) {
        throw new StopUnit({
          kind: 'trap',
          trapKind: 'memory-out-of-bounds',
          message: 'gleaner.frame was given bytes outside the memory',
        });
      }
      context.onFrame(context.memory.slice(address >>> 0, length >>> 0));
    },
  };
}
