import { ModuleFault } from '../binary/module-fault.js';
import { parseModule } from '../binary/parse-module.js';
import { shownText } from '../binary/shown-text.js';
import type { WasmModule } from '../binary/wasm-module.js';
import { Carriers } from './carriers.js';
import { callGraph, components, functionsThatMayExit } from './call-graph.js';
import { AddedItems, emitModule } from './emit-module.js';
import { ADMISSION_LIMITS } from '../binary/limits.js';
import { type AdmissionOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { moduleReport } from './report.js';
import { requireDeliverable, rewriteFunctions } from './rewrite-functions.js';
import { type ModuleFacts, scanFunctions } from './scan-functions.js';
import type { Admission } from './types.js';
import { isStepping, validateProfile } from './validate-profile.js';
import { planVirtualStack } from './virtual-stack.js';

const ENGINE_MESSAGE_LENGTH = 500;

/**
 * Checks a module against the sandbox's profile and rewrites it: cycles metered, call depth limited, NaN bits
 * canonical, memory growth bounded. Any byte sequence is safe to pass; the time is linear in its length. What the
 * rewritten module exports for the runner is named in `abi.ts`. Never throws for a bad module: it is refused with the
 * rule, the byte offset and a sentence for its author.
 */
export function admitModule(bytes: Uint8Array, options: AdmissionOptions = {}): Admission {
  const resolved = resolveOptions(options);
  try {
    const module = readModule(bytes, resolved);
    return rewrite(module.module, module.facts, resolved);
  } catch (error) {
    if (error instanceof ModuleFault) {
      return {
        admitted: false,
        errors: [{ rule: error.rule, offset: error.offset, message: error.message }],
      };
    }
    throw error;
  }
}

/** Parses before validating, because the allow-list's refusals say more than an engine's verdict. */
function readModule(
  bytes: Uint8Array,
  { profile }: ResolvedOptions,
): { module: WasmModule; facts: ModuleFacts } {
  if (bytes.length > ADMISSION_LIMITS.moduleBytes) {
    throw new ModuleFault(
      'too-large',
      null,
      `The module has ${bytes.length} bytes; the limit is ${ADMISSION_LIMITS.moduleBytes}.`,
    );
  }
  const module = parseModule(bytes);
  validateProfile(module, profile);
  const facts = scanFunctions(module, { stepping: isStepping(module) });
  if (!WebAssembly.validate(bytes as BufferSource)) throw invalidModule(bytes);
  return { module, facts };
}

/** Asks the engine why, since only its message knows; the offset stands at the end of V8's. */
function invalidModule(bytes: Uint8Array): ModuleFault {
  try {
    void new WebAssembly.Module(bytes as BufferSource);
  } catch (error) {
    const message =
      error instanceof Error ? error.message.replace(/^WebAssembly\.Module\(\): /, '') : String(error);
    const offset = /@\+(\d+)/.exec(message)?.[1];
    // The engine quotes names of the module.
    const shown = shownText(message, ENGINE_MESSAGE_LENGTH);
    return new ModuleFault('invalid-module', offset === undefined ? null : Number(offset), shown);
  }
  return new ModuleFault('invalid-module', null, 'The engine does not validate this module.');
}

/** What was added may be beyond an engine's bounds; anything else is this rewriter's own mistake, and is called so. */
function invalidRewriting(rewritten: Uint8Array): ModuleFault {
  const { message } = invalidModule(rewritten);
  return /maximum|exceed|limit|too (?:large|many)/i.test(message)
    ? new ModuleFault('too-large', null, `Too large once metering is added: ${message}`)
    : new ModuleFault(
        'rewriter-defect',
        null,
        `The rewritten module is not valid, please report it: ${message}`,
      );
}

function rewrite(module: WasmModule, facts: ModuleFacts, options: ResolvedOptions): Admission {
  const graph = callGraph(module, facts);
  const sorted = components(graph);
  const mayExit = functionsThatMayExit(module, graph, sorted);
  const stack = planVirtualStack(module, facts, graph, sorted);
  const stepping = isStepping(module);
  const usesStack = options.depth && stack.charges.some((bytes) => bytes > 0);
  const usesGrow = facts.usesMemoryGrow && module.memories[0]?.imported === false;
  const carriers = options.metering
    ? Carriers.find(module, facts, { stackCharges: stack.charges, haveStack: usesStack })
    : Carriers.none(module);
  const added = new AddedItems(module, { stepping, usesStack, usesGrow }, carriers);
  const codes = rewriteFunctions(module, facts, added, options, {
    stackCharges: stack.charges,
    mayExit: (functionIndex) => mayExit[functionIndex] === 1,
    indirectMayExit: (typeIndex) => mayExit[graph.typeNode(typeIndex)] === 1,
  });
  const rewritten = emitModule(module, added, codes);
  requireDeliverable(rewritten.length);
  if (!WebAssembly.validate(rewritten as BufferSource)) throw invalidRewriting(rewritten);
  const { staticBytes: staticStackBytes } = stack;
  const report = moduleReport(module, facts, {
    rewrittenBytes: rewritten.length,
    staticStackBytes,
    stepping,
  });
  return { admitted: true, module: rewritten, report };
}
