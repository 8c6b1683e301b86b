import { createHash } from 'node:crypto';
import type { UnitResult } from '@gleaner/sandbox/runner';
import type { TaskRunner } from '@gleaner/worker-sdk';

/** Raises the power of every spike by 0.1 %, with hashes and digest to match: only another volunteer can tell. */
export function lyingRunner(honest: TaskRunner): TaskRunner {
  return {
    run: async (held, options) => withAlteredPower(await honest.run(held, options)),
    retain: (taskIds) => honest.retain(taskIds),
    allow: (allowance) => {
      honest.allow(allowance);
    },
    close: () => honest.close(),
  };
}

function withAlteredPower(result: UnitResult): UnitResult {
  const outputs = result.outputs.map((output) => {
    const text = Buffer.from(output.bytes)
      .toString()
      .replace(/"power":([\d.]+)/g, (_, power: string) => `"power":${(Number(power) * 1.001).toFixed(6)}`);
    const bytes = Buffer.from(text);
    return { ...output, bytes, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
  return { ...result, outputs };
}
