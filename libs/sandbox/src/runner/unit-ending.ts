import { STOP } from '../abi.js';
import { StopUnit } from '../wasi/stop-unit.js';
import { trapKindOf } from './trap-kind.js';
import type { UnitOutcome, UnitTrapKind } from './types.js';

/** How a unit's run ended. */
export interface Ending {
  readonly outcome: UnitOutcome;
  readonly exitCode: number;
  readonly trapKind: UnitTrapKind | null;
  readonly message: string | null;
}

export const OK: Ending = { outcome: 'ok', exitCode: 0, trapKind: null, message: null };
export const CYCLE_LIMIT: Ending = { ...OK, outcome: 'cycle-limit', message: 'the unit used all its cycles' };

export const OUTPUT_LIMIT: Ending = {
  ...OK,
  outcome: 'output-limit',
  message: 'the unit wrote more output than its limit',
};

export function exitEnding(code: number): Ending {
  return code === 0 ? OK : { ...OK, outcome: 'exit', exitCode: code };
}

export function infrastructureEnding(message: string): Ending {
  return { ...OK, outcome: 'infrastructure', message };
}

/**
 * What an exception thrown out of the module means. `stop` is the value of the module's stop global: why rewritten code
 * executed its own `unreachable`. What is not certainly the app's doing is `infrastructure`.
 */
export function endingOf(error: unknown, stop: number): Ending {
  if (error instanceof StopUnit) return endingOfStop(error);
  if (error instanceof WebAssembly.RuntimeError) return endingOfTrap(error.message, stop);
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return infrastructureEnding('the native stack of this host ended before the metered one');
  }
  return infrastructureEnding(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

function endingOfStop({ reason }: StopUnit): Ending {
  switch (reason.kind) {
    case 'exit':
      return exitEnding(reason.code);
    case 'cycle-limit':
      return CYCLE_LIMIT;
    case 'output-limit':
      return OUTPUT_LIMIT;
    case 'trap':
      return trapEnding(reason.trapKind, reason.message);
  }
}

function endingOfTrap(message: string, stop: number): Ending {
  switch (stop) {
    case STOP.cycles:
      return CYCLE_LIMIT;
    case STOP.stack:
      return trapEnding('stack-exhausted', 'the call stack is exhausted');
    case STOP.hostMemory:
      return infrastructureEnding('this host could not give the memory that the unit may use');
    default: {
      const kind = trapKindOf(message);
      return kind === null ? infrastructureEnding(`unknown trap: ${message}`) : trapEnding(kind, message);
    }
  }
}

function trapEnding(trapKind: UnitTrapKind, message: string): Ending {
  return { ...OK, outcome: 'trap', trapKind, message };
}
