import type { UnitResult, UnitToRun } from '@gleaner/sandbox/runner';

/** A unit that can travel into a page: bytes as base64. */
export interface UnitJson {
  readonly moduleBase64: string;
  readonly moduleSha256: string;
  readonly args: readonly string[];
  readonly inputsBase64: Readonly<Record<string, string>>;
  /** Decimal; ample where absent. */
  readonly maxCycles?: string;
}

const AMPLE_CYCLES = '1000000000000';
const LIMITS = { memoryMiB: 64, outputBytes: 1_000_000, wallMs: 100_000 };

/** The unit of a test; works in Node and in browsers. */
export function unitFromJson(json: UnitJson): UnitToRun {
  const { moduleBase64, moduleSha256, args, inputsBase64 } = json;
  const inputs = Object.entries(inputsBase64).map(
    ([name, base64]) => [name, { kind: 'bytes', bytes: bytesOf(base64) }] as const,
  );
  return {
    module: { kind: 'bytes', bytes: bytesOf(moduleBase64) },
    moduleSha256,
    appName: 'app',
    args,
    env: {},
    inputs: Object.fromEntries(inputs),
    outputs: ['stdout'],
    limits: { ...LIMITS, maxCycles: BigInt(json.maxCycles ?? AMPLE_CYCLES) },
    seed: '11'.repeat(32),
  };
}

/** What every engine has to agree on; works in Node and in browsers. */
export function comparableResult({ outcome, exitCode, trapKind, cycles, outputs }: UnitResult) {
  return {
    outcome,
    exitCode,
    trapKind,
    cycles: String(cycles),
    outputs: outputs.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
  };
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
