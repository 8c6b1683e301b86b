/** What the test's page offers: units as JSON in, results as JSON out. */
import { SandboxWorker, type RunOptions } from '@gleaner/sandbox/browser';
import { comparableResult, unitFromJson, type UnitJson } from './unit-json.js';

const openSandbox = () =>
  new SandboxWorker({ createWorker: () => new Worker('/worker.js', { type: 'module' }) });
const sandbox = openSandbox();

const page = {
  async run(json: UnitJson): Promise<unknown> {
    return comparableResult(await sandbox.run(unitFromJson(json)));
  },

  /** Aborts a unit at its first progress; what its promise rejects with. */
  async abort(json: UnitJson): Promise<string> {
    const abort = new AbortController();
    const options: RunOptions = {
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('no longer wanted')),
    };
    return sandbox.run(unitFromJson(json), options).then(
      ({ outcome }) => outcome,
      (error: unknown) => String(error),
    );
  },

  /** Runs a stepping app, then again from its first snapshot in another worker: both results. */
  async resume(json: UnitJson): Promise<unknown> {
    const unit = unitFromJson(json);
    const snapshots: Uint8Array[] = [];
    const onSnapshot = (snapshot: Uint8Array) => void snapshots.push(snapshot);
    const whole = await sandbox.run(unit, { checkpoint: { from: null, onSnapshot, everyMs: 10 } });
    const other = openSandbox();
    const from = snapshots[0] ?? null;
    const resumed = await other.run(unit, { checkpoint: { from, onSnapshot: () => {} } });
    await other.close();
    return {
      whole: comparableResult(whole),
      resumed: comparableResult(resumed),
      resumedCycles: String(resumed.resumedCycles ?? 0),
    };
  },
};
export type TestPage = typeof page;

Object.assign(globalThis, { page });
