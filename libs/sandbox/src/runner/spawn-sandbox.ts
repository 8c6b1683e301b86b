import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { constants, setPriority, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What a sandbox process may touch and how its engine is set. */
export interface SpawnOptions {
  /** Directories whose files the process may read besides its own program; null: any file. */
  readonly readableDirectories: readonly string[] | null;
  /** The only directory in which the process may write, for snapshots; null: none. */
  readonly writableDirectory: string | null;
  /** V8 flags. */
  readonly engineFlags: readonly string[];
}

/** Optimised code from the first instruction: a running function is never moved to it later. */
export const OPTIMISED_ENGINE: readonly string[] = ['--no-liftoff'];
/** Room for the metered 256 KiB and the unmetered 64 KiB of virtual stack in frames of any engine tier. */
const NATIVE_STACK_KIB = 2048;

/**
 * Starts a sandbox process: no environment, no descriptors but the channel, the lowest priority, and Node's permission
 * model against everything but reading. It ends when the channel closes.
 */
export function spawnSandbox({
  readableDirectories,
  writableDirectory,
  engineFlags,
}: SpawnOptions): ChildProcess {
  const program = fileURLToPath(new URL(isSource() ? './node-child.ts' : './node-child.js', import.meta.url));
  const ownFiles = fileURLToPath(new URL('../', import.meta.url));
  const writable = writableDirectory === null ? [] : [writableDirectory];
  const readable = readableDirectories === null ? ['*'] : [ownFiles, ...readableDirectories, ...writable];
  const child = spawn(
    process.execPath,
    [
      '--permission',
      ...readable.map((directory) => `--allow-fs-read=${directory}`),
      ...writable.map((directory) => `--allow-fs-write=${directory}`),
      `--stack-size=${NATIVE_STACK_KIB}`,
      '--expose-gc',
      ...engineFlags,
      ...(isSource() ? sourceLoader() : []),
      program,
    ],
    {
      // An empty environment carries no credentials. Windows cannot start a program without this variable.
      env: process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'] } : {},
      cwd: tmpdir(),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
      windowsHide: true,
    },
  );
  child.on('error', ignore);
  if (child.pid !== undefined) lowerPriority(child.pid);
  return child;
}

/** At once, before the engine starts its threads, which inherit it. */
function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // The process has ended already, or the host forbids it: computing at normal priority is still right.
  }
}

/** Kills a sandbox process when this one is gone, even while it computes or is stopped and cannot notice. */
export function spawnReaper(pid: number): ChildProcess | null {
  // Windows ends child processes with their parent by itself.
  if (process.platform === 'win32') return null;
  const script = `trap '' INT TERM HUP; read -r _; kill -9 ${pid}`;
  const reaper = spawn('/bin/sh', ['-c', script], { env: {}, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
  reaper.on('error', ignore);
  reaper.stdin.on('error', ignore);
  reaper.unref();
  if (reaper.stdin instanceof Socket) reaper.stdin.unref();
  return reaper;
}

/** Whether this runs from TypeScript sources (tests), where the child has to as well. */
function isSource(): boolean {
  return import.meta.url.endsWith('.ts');
}

/** Lets Node, which strips types itself, find `x.ts` where a source imports `x.js`. */
function sourceLoader(): string[] {
  const hooks = `import { registerHooks } from 'node:module';
    registerHooks({ resolve: (specifier, context, next) =>
      next(/^\\.\\.?\\/.*\\.js$/.test(specifier) ? specifier.replace(/js$/, 'ts') : specifier, context) });`;
  return [
    '--disable-warning=ExperimentalWarning',
    `--import=data:text/javascript,${encodeURIComponent(hooks)}`,
  ];
}

function ignore(): void {}
