import { VALUE_TYPE } from '../binary/value-types.js';
import type { FunctionType, WasmModule } from '../binary/wasm-module.js';
import type { ModuleFacts } from './scan-functions.js';
import { functionType } from './validate-profile.js';

/** More results than this, the carried one included, travel through the engine's memory again. */
const MOST_RESULTS = 2;

/**
 * Which functions carry the meters: they take the cycles left, and the virtual stack left, behind their own parameters,
 * and give back the cycles behind their own results, so that a recursion keeps both in registers. The stack needs no way
 * back, since every activation has its own copy of what is left. Everybody else finds the meters in the globals.
 */
export class Carriers {
  readonly #carries: Uint8Array;

  constructor(
    private readonly module: WasmModule,
    /** Whether the virtual stack is carried, too. */
    readonly haveStack: boolean,
    carries: Uint8Array,
  ) {
    this.#carries = carries;
  }

  /** No function carries anything. */
  static none(module: WasmModule): Carriers {
    return new Carriers(module, false, new Uint8Array(0));
  }

  /** All that may: functions with a share of the virtual stack, which recurse, and that direct calls alone enter. */
  static find(
    module: WasmModule,
    facts: ModuleFacts,
    { stackCharges, haveStack }: { readonly stackCharges: Uint32Array; readonly haveStack: boolean },
  ): Carriers {
    const carries = new Uint8Array(module.functionTypes.length);
    const fromElsewhere = functionsEnteredFromElsewhere(module, facts);
    for (let i = 0; i < module.bodies.length; i++) {
      const index = module.importedFunctions + i;
      const { results } = functionType(module, index);
      if (stackCharges[i]! > 0 && !fromElsewhere.has(index) && results.length < MOST_RESULTS)
        carries[index] = 1;
    }
    return new Carriers(module, haveStack, carries);
  }

  has(functionIndex: number): boolean {
    return this.#carries[functionIndex] === 1;
  }

  /** Where the function's own code finds the meters; null for one that does not carry them. */
  localsOf(functionIndex: number): CarriedLocals | null {
    if (!this.has(functionIndex)) return null;
    const first = functionType(this.module, functionIndex).parameters.length;
    return { first, count: this.#parameters.length, cycles: first, stack: this.haveStack ? first + 1 : null };
  }

  /** The function's type as its callers see it. */
  typeOf(functionIndex: number): FunctionType {
    const type = functionType(this.module, functionIndex);
    if (!this.has(functionIndex)) return type;
    return {
      parameters: [...type.parameters, ...this.#parameters],
      results: [...type.results, VALUE_TYPE.i64],
    };
  }

  get #parameters(): readonly number[] {
    return this.haveStack ? [VALUE_TYPE.i64, VALUE_TYPE.i32] : [VALUE_TYPE.i64];
  }
}

/** Locals of a carrying function, which stand between its parameters and the locals that it declares. */
export interface CarriedLocals {
  readonly first: number;
  readonly count: number;
  /** i64: cycles left. */
  readonly cycles: number;
  /** i32: bytes of virtual stack left; null where the stack is not metered. */
  readonly stack: number | null;
}

/** Functions that the runner may enter, or a table lead to: direct calls are not all. */
export function functionsEnteredFromElsewhere(module: WasmModule, facts: ModuleFacts): ReadonlySet<number> {
  const entered = new Set(facts.addressTaken);
  for (const { kind, index } of module.exports) if (kind === 'function') entered.add(index);
  if (module.start !== null) entered.add(module.start.functionIndex);
  return entered;
}
