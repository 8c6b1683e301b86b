import { RUNTIME_VERSION } from '../abi.js';
import { shownText } from '../binary/shown-text.js';
import type { WasmModule } from '../binary/wasm-module.js';
import type { ModuleFacts } from './scan-functions.js';
import type { AdmissionReport } from './types.js';

const LARGE_MODULE_BYTES = 8 * 1024 * 1024;
const PAGE_BYTES = 65_536;
const LARGE_MEMORY_PAGES = 4_096;
/** A module may have thousands of sections that are dropped. */
const SHOWN_SECTIONS = 8;

export interface RewritingOutcome {
  readonly rewrittenBytes: number;
  readonly staticStackBytes: number | null;
  readonly stepping: boolean;
}

/** What `gleaner app check` prints about an admitted module. */
export function moduleReport(
  module: WasmModule,
  facts: ModuleFacts,
  outcome: RewritingOutcome,
): AdmissionReport {
  const [memory] = module.memories;
  return {
    runtimeVersion: RUNTIME_VERSION,
    originalBytes: module.bytes.length,
    rewrittenBytes: outcome.rewrittenBytes,
    stepping: outcome.stepping,
    imports: [...new Set(module.imports.map(({ module: from, name }) => `${from}.${name}`))].sort(),
    features: facts.features,
    warnings: warnings(module, outcome),
    functions: module.bodies.length,
    staticStackBytes: outcome.staticStackBytes,
    memoryPages: { initial: memory?.min ?? 0, maximum: memory?.max ?? null },
  };
}

function warnings(module: WasmModule, { stepping, rewrittenBytes }: RewritingOutcome): string[] {
  const found: string[] = [];
  if (!stepping) {
    found.push(
      'The app does not step (no gleaner_step): it cannot be checkpointed, and runs slower in browsers.',
    );
  }
  if (rewrittenBytes > LARGE_MODULE_BYTES) {
    found.push(
      `The module is ${(rewrittenBytes / 2 ** 20).toFixed(1)} MiB: every volunteer downloads and compiles it.`,
    );
  }
  const pages = module.memories[0]?.min ?? 0;
  if (pages > LARGE_MEMORY_PAGES) {
    found.push(`The app starts with ${(pages * PAGE_BYTES) / 2 ** 20} MiB of memory: many hosts offer less.`);
  }
  const custom = module.customSections.filter((name) => name.startsWith('.debug_') || name === 'name');
  if (custom.length > 0)
    found.push(`Debug sections are dropped (${shownNames(custom)}): strip them to upload less.`);
  return found;
}

function shownNames(names: readonly string[]): string {
  const unique = [...new Set(names)].sort();
  const more = unique.length - SHOWN_SECTIONS;
  const shown = unique.slice(0, SHOWN_SECTIONS).map((name) => shownText(name));
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}
