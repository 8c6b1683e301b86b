import { ABI, STOP, VIRTUAL_STACK_BYTES } from '@gleaner/sandbox/admission';
import { type TypeName, callBridge, globalBridge } from './bridge.js';
import type { Action, Value } from './script.js';
import {
  type Comparison,
  compareReference,
  compareResult,
  referenceOf,
  worst,
  writeOperand,
} from './values.js';

const AMPLE_CYCLES = 1n << 52n;

/** What an action did: its results await comparison, or it trapped. */
export type ActionOutcome =
  | { readonly trapped: false; compare(expected: readonly Value[]): Comparison }
  | { readonly trapped: true; readonly message: string; readonly stop: number };

interface Bridge {
  readonly run: (...references: unknown[]) => unknown;
  readonly view: DataView;
}

const callModules = new Map<string, WebAssembly.Module>();
const isReference = ({ type }: { readonly type: TypeName }) => type === 'externref' || type === 'funcref';

/** An instance of a rewritten module, called as the runner calls one: limits set before each entry. */
export class TestInstance {
  readonly #bridges = new Map<string, Bridge>();

  constructor(readonly exports: WebAssembly.Exports) {}

  /** Runs the module's own start function. Throws what it traps with. */
  start(): void {
    this.#resetLimits();
    const start = this.exports[ABI.start];
    if (typeof start === 'function') (start as () => void)();
  }

  /** `expected` gives the result types; its values are compared later. */
  perform(action: Action, expected: readonly Value[]): ActionOutcome {
    const bridge =
      action.type === 'get' ? this.#globalBridge(action.field, expected) : this.#callBridge(action, expected);
    const args = action.args ?? [];
    args.forEach((value, slot) => {
      if (!isReference(value)) writeOperand(bridge.view, slot, value);
    });
    this.#resetLimits();
    try {
      const returned = bridge.run(...args.filter(isReference).map(referenceOf));
      return { trapped: false, compare: (values) => compareAll(bridge.view, returned, values) };
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) throw error;
      return { trapped: true, message: error.message, stop: this.stopReason };
    }
  }

  get stopReason(): number {
    const stop = this.exports[ABI.stop];
    return stop instanceof WebAssembly.Global ? Number(stop.value) : STOP.none;
  }

  #resetLimits(): void {
    this.#set(ABI.cyclesLeft, AMPLE_CYCLES);
    this.#set(ABI.stackLeft, VIRTUAL_STACK_BYTES);
    this.#set(ABI.stop, STOP.none);
  }

  #set(name: string, value: bigint | number): void {
    const global = this.exports[name];
    if (global instanceof WebAssembly.Global) global.value = value;
  }

  #callBridge({ field, args = [] }: Action, expected: readonly Value[]): Bridge {
    const parameters = args.map(({ type }) => type);
    const results = expected.map(({ type }) => type);
    const signature = `${parameters.join()}>${results.join()}`;
    return this.#bridge(`${field}:${signature}`, field, () => {
      const module = callModules.get(signature) ?? callBridge(parameters, results);
      callModules.set(signature, module);
      return [module];
    });
  }

  #globalBridge(field: string, expected: readonly Value[]): Bridge {
    const type = expected[0]?.type ?? 'i32';
    return this.#bridge(`${field}:${type}`, field, () => [
      globalBridge(type, false),
      globalBridge(type, true),
    ]);
  }

  /** Links the first of the modules that fits what is exported. */
  #bridge(key: string, field: string, modules: () => readonly WebAssembly.Module[]): Bridge {
    const known = this.#bridges.get(key);
    if (known !== undefined) return known;
    const it = this.exports[field];
    if (it === undefined) throw new Error(`nothing is exported as ${field}`);
    let failure: unknown;
    for (const module of modules()) {
      try {
        const { run, memory } = new WebAssembly.Instance(module, { it: { it } }).exports;
        const bridge = {
          run: run as Bridge['run'],
          view: new DataView((memory as WebAssembly.Memory).buffer),
        };
        this.#bridges.set(key, bridge);
        return bridge;
      } catch (error) {
        failure = error;
      }
    }
    throw new Error(`${field} does not have the expected type`, { cause: failure });
  }
}

function compareAll(view: DataView, returned: unknown, expected: readonly Value[]): Comparison {
  const references =
    expected.filter(isReference).length === 1
      ? [returned]
      : Array.isArray(returned)
        ? (returned as unknown[])
        : [];
  let next = 0;
  return worst(
    expected.map((value, slot) =>
      isReference(value) ? compareReference(references[next++], value) : compareResult(view, slot, value),
    ),
  );
}
