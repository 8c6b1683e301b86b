import { ABI, RUNTIME_VERSION } from '../abi.js';
import { captureHost, restoreHost } from '../wasi/host-state.js';
import type { WasiHost } from '../wasi/wasi-host.js';
import { bytesOfRun, nonZeroRuns } from './memory-pages.js';
import { sha256HexOf } from './sha256.js';
import { segmentReader, type SnapshotHeader, type UnitSnapshot } from './snapshot.js';
import type { SentUnit } from './messages.js';

const PAGE_BYTES = 64 * 1024;

/** What of an instance a snapshot holds. */
export interface InstanceParts {
  readonly exports: WebAssembly.Exports;
  readonly host: WasiHost;
}

/** Binds a snapshot to the unit: everything that decides its computation, module and seed included. */
export function unitKeyOf(unit: Omit<SentUnit, 'id' | 'inputs' | 'isWatched'>): string {
  const { appName, args, env, outputs, limits, seed } = unit;
  const pairs = Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1));
  const bounds = [String(limits.maxCycles), limits.memoryMiB, limits.outputBytes];
  const text = JSON.stringify([unit.moduleSha256, appName, args, pairs, outputs, bounds, seed]);
  return sha256HexOf(new TextEncoder().encode(text));
}

/** The state between two steps. */
export function captureUnit(
  { exports, host }: InstanceParts,
  identity: Pick<SnapshotHeader, 'moduleSha256' | 'unitKey'>,
): UnitSnapshot {
  const memory = host.context.memory.bytes;
  const memoryRuns = nonZeroRuns(memory);
  const { state, segments } = captureHost(host);
  const header = {
    ...identity,
    runtimeVersion: RUNTIME_VERSION,
    cyclesLeft: String(globalOf(exports, ABI.cyclesLeft)?.value),
    globals: appGlobals(exports).map(({ value }) => textOfNumber(value)),
    memoryBytes: memory.length,
    memoryRuns,
    host: state,
  };
  return { header, segments: [...memoryRuns.map((run) => bytesOfRun(memory, run)), ...segments] };
}

/**
 * Brings a fresh instance of the same unit, whose code has not run yet, into a captured state.
 *
 * @throws TypeError where the snapshot does not fit
 */
export function restoreUnit(
  { exports, host }: InstanceParts,
  header: SnapshotHeader,
  payload: Uint8Array,
): void {
  const take = segmentReader(payload);
  const memory = exports[ABI.memory];
  if (memory instanceof WebAssembly.Memory) {
    const missing = header.memoryBytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(missing / PAGE_BYTES);
    const bytes = new Uint8Array(memory.buffer);
    bytes.fill(0);
    for (const run of header.memoryRuns) bytesOfRun(bytes, run).set(take(run[1] * PAGE_BYTES));
  }
  const globals = appGlobals(exports);
  if (globals.length !== header.globals.length) throw new TypeError('the snapshot has other globals');
  globals.forEach((global, i) => {
    global.value = numberOfText(header.globals[i] ?? '0', typeof global.value === 'bigint');
  });
  const cyclesLeft = globalOf(exports, ABI.cyclesLeft);
  if (cyclesLeft !== null) cyclesLeft.value = BigInt(header.cyclesLeft);
  restoreHost(host, header.host, take);
}

function appGlobals(exports: WebAssembly.Exports): WebAssembly.Global[] {
  const globals: WebAssembly.Global[] = [];
  for (;;) {
    const global = globalOf(exports, ABI.globalPrefix + String(globals.length));
    if (global === null) return globals;
    globals.push(global);
  }
}

function globalOf(exports: WebAssembly.Exports, name: string): WebAssembly.Global | null {
  const value = exports[name];
  return value instanceof WebAssembly.Global ? value : null;
}

/** Numbers as text that keeps −0 and infinities, which JSON does not; NaN is canonical in rewritten modules. */
function textOfNumber(value: unknown): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function numberOfText(text: string, isBigInt: boolean): number | bigint {
  return isBigInt ? BigInt(text) : Number(text);
}
