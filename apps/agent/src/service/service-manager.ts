import { execFile } from 'node:child_process';
import { mkdir, open, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, isAbsolute, relative } from 'node:path';
import { promisify } from 'node:util';
import { AgentError } from '../exit-codes.js';
import { homeDirectory } from '../home-directory.js';
import type { CommandLine, ServiceDefinition } from './service-definition.js';

/** A service manager that does not answer must not keep the volunteer; ending an agent may take most of a minute. */
const COMMAND_TIMEOUT_MS = 90_000;

/** What was really done. */
export interface Done {
  readonly files: readonly string[];
  /** Whether there was a service before. */
  readonly wasInstalled: boolean;
  readonly ran: readonly CommandLine[];
  /** What did not work, and did not matter enough to give up. */
  readonly failures: readonly string[];
}

/**
 * Has the service manager start the agent from now on, and now; one that runs already is ended first, since it would go on
 * as it was before.
 *
 * @throws {AgentError} when it cannot be: everything is as it was before then
 */
export async function installService(definition: ServiceDefinition): Promise<Done> {
  const { file, start, stop } = definition;
  const before = await readFile(file.path).catch(() => null);
  const ended = before === null ? NOTHING : await runAll(stop);
  const byteOrderMark = file.encoding === 'utf16le' ? '\uFEFF' : '';
  await writeServiceFile(file.path, Buffer.from(byteOrderMark + file.content, file.encoding));
  for (const line of start) {
    const failure = await run(line);
    if (failure === null) continue;
    if (before === null) {
      await takeBack(definition);
    } else {
      await writeServiceFile(file.path, before);
      await runAll(start);
    }
    const state = before === null ? 'nothing is installed' : 'the service is as it was before';
    throw new AgentError(`${failure}; ${state}: ${definition.advice}`);
  }
  const ran = [...ended.ran, ...start];
  return { files: [file.path], wasInstalled: before !== null, ran, failures: [] };
}

/** Ends the service and takes back all that installing wrote. One that is not installed is uninstalled already. */
export async function uninstallService(definition: ServiceDefinition): Promise<Done> {
  const isInstalled = await readFile(definition.file.path).then(
    () => true,
    () => false,
  );
  return isInstalled ? takeBack(definition) : NOTHING;
}

const NOTHING: Done = { files: [], wasInstalled: false, ran: [], failures: [] };

async function takeBack({ file, stop, traces, afterRemoval }: ServiceDefinition): Promise<Done> {
  const stopped = await runAll(stop);
  for (const path of [...traces, file.path]) {
    await rm(path, { force: true });
    await removeEmptyAbove(path);
  }
  const after = await runAll(afterRemoval);
  return {
    files: [file.path],
    wasInstalled: true,
    ran: [...stopped.ran, ...after.ran],
    failures: [...stopped.failures, ...after.failures],
  };
}

/** Removes the directories above a path that nothing is left in, as far up as the home directory. */
export async function removeEmptyAbove(path: string): Promise<void> {
  const home = homeDirectory();
  if (home === null) return;
  for (let directory = dirname(path); isBelow(directory, home); directory = dirname(directory)) {
    const isRemoved = await rmdir(directory).then(
      () => true,
      (error: unknown) => isAbsent(error),
    );
    if (!isRemoved) return;
  }
}

function isBelow(path: string, top: string): boolean {
  const way = relative(top, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function writeServiceFile(path: string, bytes: Buffer): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await using file = await open(path, 'w', 0o600);
    // It may hold the password of a proxy, and one that is there already has the mode that it has.
    await file.chmod(0o600);
    await file.writeFile(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgentError(`the service cannot be installed, ${path} cannot be written: ${reason}`);
  }
}

async function runAll(lines: readonly CommandLine[]): Promise<Pick<Done, 'ran' | 'failures'>> {
  const ran: CommandLine[] = [];
  const failures: string[] = [];
  for (const line of lines) {
    const failure = await run(line);
    if (failure === null) ran.push(line);
    else failures.push(failure);
  }
  return { ran, failures };
}

/** Null, or a sentence that says why it failed. */
async function run([program, ...args]: CommandLine): Promise<string | null> {
  try {
    await promisify(execFile)(program, args, { timeout: COMMAND_TIMEOUT_MS, windowsHide: true });
    return null;
  } catch (error) {
    if (isAbsent(error)) return `there is no ${program} on this machine`;
    return `"${[program, ...args].join(' ')}" failed: ${reasonOf(error)}`;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('killed' in error && error.killed === true) return `no answer within ${COMMAND_TIMEOUT_MS / 1000} s`;
  const stderr = 'stderr' in error ? String(error.stderr).trim() : '';
  if (stderr !== '') return stderr;
  return 'code' in error ? `it ended with ${String(error.code)}` : error.message;
}
