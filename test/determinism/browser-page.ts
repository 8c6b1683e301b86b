/** What the test's page runs: units as JSON in, results as JSON out. */
import { SandboxWorker } from '@gleaner/sandbox/browser';
import { unitFromJson, type UnitJson } from './unit-json.js';

const sandbox = new SandboxWorker({ createWorker: () => new Worker('/worker.js', { type: 'module' }) });

async function runUnit(json: UnitJson): Promise<unknown> {
  const { outcome, cycles, outputs, message } = await sandbox.run(unitFromJson(json));
  return {
    outcome,
    message,
    cycles: String(cycles),
    outputs: outputs.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
  };
}

Object.assign(globalThis, { runUnit });
