import type { UnitResult } from './types.js';
import { OUTPUT_LIMIT, type Ending } from './unit-ending.js';
import type { UnitExecution } from './unit-execution.js';

/**
 * What is told of a finished run; `execution` is null where it never began. Of the host's own failures no output is kept, nor
 * of a unit whose outputs are more than it may have: one file may have the names of several.
 */
export function resultOf(
  ending: Ending,
  execution: UnitExecution | null,
  times: Pick<UnitResult, 'cpuMs' | 'wallMs'>,
  sha256Hex: (bytes: Uint8Array) => string,
): UnitResult {
  const outputs = ending.outcome === 'infrastructure' ? [] : execution?.outputs();
  return {
    ...(outputs === null ? OUTPUT_LIMIT : ending),
    cycles: execution?.cycles ?? 0n,
    outputs: (outputs ?? []).map(({ name, bytes }) => ({
      name,
      size: bytes.length,
      sha256: sha256Hex(bytes),
      bytes,
    })),
    stderr: execution?.host.context.stderr.text() ?? '',
    ...times,
  };
}
