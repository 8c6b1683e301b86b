import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programOf, runAdmission } from './run-admission.js';

const FIVE_MINUTES_MS = 300_000;
const MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

describe('a module whose checking', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'gleaner admission '));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const aProgram = (name: string, code: string): string => {
    const path = join(directory, `${name}.mjs`);
    writeFileSync(path, `import { parentPort, workerData } from 'node:worker_threads';\n${code}`);
    return path;
  };
  const check = (program: string, timeLimitMs = FIVE_MINUTES_MS, signal = new AbortController().signal) =>
    runAdmission(MODULE, { program, timeLimitMs, signal });

  it('aborts its process is refused, and nobody else notices', async () => {
    await expect(check(aProgram('abort', "process.kill(process.pid, 'SIGABRT');"))).rejects.toMatchObject({
      code: 'module-refused',
      message: 'The module was not admitted: checking it ended early (SIGABRT).',
    });
  });

  it('does not end is refused, and its process is gone', async () => {
    await expect(check(aProgram('endless', 'for (;;);'), 50)).rejects.toMatchObject({
      code: 'module-refused',
      message: 'The module was not admitted: checking it took longer than 0.05 s.',
    });
  });

  it('is under way when the coordinator stops ends with it', async () => {
    const stop = new AbortController();
    const admission = check(aProgram('stopped', 'for (;;);'), FIVE_MINUTES_MS, stop.signal);
    stop.abort();
    await expect(admission).rejects.toMatchObject({ code: 'unavailable' });
    await expect(check(aProgram('late', ''), FIVE_MINUTES_MS, stop.signal)).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it('is stopped with all that a supervisor stops is not refused', async () => {
    const program = aProgram('terminated', "process.kill(process.pid, 'SIGTERM');");
    await expect(check(program)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is under way when the coordinator is killed ends as well', async () => {
    const program = aProgram('orphaned', 'parentPort.postMessage(null); for (;;);');
    const orphan = fork(programOf('process'), [program], { execArgv: [], serialization: 'advanced' });
    const ended = once(orphan, 'exit');
    orphan.send(MODULE);
    await once(orphan, 'message');
    // What becomes of the channel of whoever is killed.
    orphan.disconnect();
    expect(await ended).toEqual([0, null]);
  });

  it('finds a reason is refused with it, as the program says', async () => {
    const admission = await runAdmission(MODULE, { signal: new AbortController().signal });
    expect(admission).toMatchObject({ admitted: false, errors: [{ rule: 'missing-memory' }] });
  });

  it('runs without an environment', async () => {
    const program = aProgram(
      'looks',
      'parentPort.postMessage([Object.keys(process.env), workerData.length]);',
    );
    expect(await check(program)).toEqual([[], MODULE.length]);
  });
});
