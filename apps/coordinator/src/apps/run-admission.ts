import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Admission } from '@gleaner/sandbox/admission';
import { DomainError } from '../http/index.js';

/** Admission takes half a second for 5 MB; what takes this long is an attack or a defect. */
const TIME_LIMIT_MS = 30_000;
const MEMORY_LIMIT_MIB = 1_536;
/** What a terminal or a supervisor sends to the coordinator and all that it started. */
const STOP_SIGNALS: ReadonlyArray<string | null> = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export interface AdmissionRun {
  /** Ends the process when the coordinator ends. */
  readonly signal: AbortSignal;
  /** What the process's thread runs, which answers a module with an admission. */
  readonly program?: string;
  readonly timeLimitMs?: number;
}

/**
 * Admits a module in a process of its own: an engine that runs out of memory, or of room for types, which it keeps as long
 * as it runs, aborts its process, and a thread would take the coordinator along.
 *
 * @throws {DomainError} `module-refused` where that costs more time or memory than allowed; `unavailable` when aborted or without a process
 */
export async function runAdmission(
  bytes: Uint8Array,
  { signal, program = programOf('thread'), timeLimitMs = TIME_LIMIT_MS }: AdmissionRun,
): Promise<Admission> {
  if (signal.aborted) throw stopping();
  const child = fork(programOf('process'), [program], {
    serialization: 'advanced',
    // An empty environment carries no credentials. Windows cannot start a program without this variable.
    env: process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'] } : {},
    execArgv: [`--max-old-space-size=${MEMORY_LIMIT_MIB}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const { promise, resolve, reject } = Promise.withResolvers<Admission>();
  const onAbort = () => reject(stopping());
  const timer = setTimeout(
    () => reject(refused(`checking it took longer than ${timeLimitMs / 1000} s`)),
    timeLimitMs,
  );
  signal.addEventListener('abort', onAbort);
  // The process runs our own program: what it sends is an admission.
  child.once('message', (admission) => resolve(admission as Admission));
  child.once('error', (error) =>
    reject(unavailable('No process to check modules starts: try again.', error)),
  );
  child.once('exit', (code, killedBy) =>
    reject(
      STOP_SIGNALS.includes(killedBy)
        ? stopping()
        : refused(`checking it ended early (${killedBy ?? `exit code ${code}`})`),
    ),
  );
  // Where descriptors have run out there is no channel. A process that has ended before shows as its exit.
  if (child.connected) child.send(bytes, () => {});
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    child.kill('SIGKILL');
  }
}

function refused(detail: string): DomainError {
  return new DomainError('module-refused', `The module was not admitted: ${detail}.`, {
    errors: [{ pointer: '', detail }],
  });
}

function stopping(): DomainError {
  return unavailable('The coordinator is stopping: publish the module again.');
}

function unavailable(detail: string, cause?: unknown): DomainError {
  return new DomainError('unavailable', detail, { cause });
}

/** Compiled beside this file; the tests run the sources, which Node can strip of their types. */
export function programOf(part: 'process' | 'thread'): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./admission-${part}.${extension}`, import.meta.url));
}
