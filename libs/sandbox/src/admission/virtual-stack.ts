import type { WasmModule } from '../binary/wasm-module.js';
import type { CallGraph } from './call-graph.js';
import type { ModuleFacts } from './scan-functions.js';

/** Bytes of virtual stack that the runner puts into the `stackLeft` global before each entry. */
export const VIRTUAL_STACK_BYTES = 256 * 1024;

/** Chains of functions that cannot recurse are free up to this depth; together with the metered 256 KiB it bounds the native stack. */
const UNMETERED_STACK_BYTES = 64 * 1024;

export interface StackPlan {
  /** Bytes that each defined function takes at entry and returns at exit; 0 for those that need not pay. */
  readonly charges: Uint32Array;
  /** Deepest chain in bytes, null where calls can recurse. */
  readonly staticBytes: number | null;
}

/**
 * Decides who pays for the stack: functions that can recurse, and those on top of long chains.
 * `sorted` are the call graph's components, callees first.
 */
export function planVirtualStack(
  module: WasmModule,
  facts: ModuleFacts,
  graph: CallGraph,
  sorted: ReadonlyArray<readonly number[]>,
): StackPlan {
  const { importedFunctions } = module;
  const charges = new Uint32Array(module.bodies.length);
  // Deepest chain below and including a node: of frames that do not pay, and of all frames.
  const unpaid = new Float64Array(graph.nodes);
  const total = new Float64Array(graph.nodes);
  let recursive = false;
  for (const component of sorted) {
    const recurses = component.length > 1 || component.some((node) => graph.edges[node]?.includes(node));
    recursive ||= recurses;
    let unpaidBelow = 0;
    let totalBelow = 0;
    for (const node of component) {
      for (const target of graph.edges[node] ?? []) {
        unpaidBelow = Math.max(unpaidBelow, unpaid[target]!);
        totalBelow = Math.max(totalBelow, total[target]!);
      }
    }
    for (const node of component) {
      const frameBytes = facts.functions[node - importedFunctions]?.frameBytes ?? 0;
      const pays = frameBytes > 0 && (recurses || unpaidBelow + frameBytes > UNMETERED_STACK_BYTES);
      if (pays) charges[node - importedFunctions] = frameBytes;
      unpaid[node] = unpaidBelow + (pays ? 0 : frameBytes);
      total[node] = totalBelow + frameBytes;
    }
  }
  return { charges, staticBytes: recursive ? null : total.reduce((most, bytes) => Math.max(most, bytes), 0) };
}
