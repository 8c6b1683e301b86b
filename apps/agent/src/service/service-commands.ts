import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { detachHost } from '@gleaner/worker-sdk';
import { readAttachments, requireAttachments } from '../attachments.js';
import { defaultDataDirectory, type DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError } from '../exit-codes.js';
import { currentSystem } from '../probes/system.js';
import { serviceDefinition, type CommandLine, type ServiceDefinition } from './service-definition.js';

export interface ServiceCommand {
  readonly directory: DataDirectory;
  /** Program and arguments that start this agent. */
  readonly command: readonly string[];
  /** Show what would be done, and do nothing. */
  readonly isDryRun: boolean;
  readonly json: boolean;
}

/** A service manager that does not answer must not keep the volunteer. */
const COMMAND_TIMEOUT_MS = 60_000;
const DETACH_TIMEOUT_MS = 10_000;
/** Everything that agents ever put into their directory; what others put there stays. */
const OWN_ENTRY =
  /^(attachment|status|control|preferences|tallies|shares|wishes)\.json(\.damaged|\..*tmp)?$|^(agent|attach)\.lock|^(tasks|results|outputs|snapshots|cache|chunks|swarm|projects|logs)$/;

/** Has the service manager start the agent from now on, and now. */
export async function install(command: ServiceCommand): Promise<void> {
  const definition = definitionFor(command);
  if (!command.isDryRun) await requireAttachments(command.directory);
  const { file, start } = definition;
  if (command.isDryRun) {
    tell(command, definition, { write: [file.path], run: start });
    if (!command.json) process.stdout.write(`\n${file.content}`);
    return;
  }
  await mkdir(dirname(file.path), { recursive: true });
  const byteOrderMark = file.encoding === 'utf16le' ? '\uFEFF' : '';
  await writeFile(file.path, byteOrderMark + file.content, { encoding: file.encoding, mode: 0o600 });
  for (const line of start) {
    const failure = await run(line);
    if (failure !== null) {
      throw new AgentError(`${file.path} is written, but "${line.join(' ')}" failed: ${failure}`);
    }
  }
  tell(command, definition, { write: [file.path], run: start });
}

/** Ends the service and takes back what installing wrote; on demand also everything that the agent ever kept. */
export async function uninstall(command: ServiceCommand & { readonly removesData: boolean }): Promise<void> {
  const definition = definitionFor(command);
  const { file, stop, afterRemoval } = definition;
  const removed = [file.path, ...(command.removesData ? [command.directory.path] : [])];
  if (!command.isDryRun) {
    // A service that was never installed is uninstalled already: that these fail is no failure.
    for (const line of stop) await run(line);
    await rm(file.path, { force: true });
    for (const line of afterRemoval) await run(line);
    if (command.removesData) await removeData(command.directory);
  }
  tell(command, definition, { remove: removed, run: [...stop, ...afterRemoval] });
}

function definitionFor({ directory, command }: ServiceCommand): ServiceDefinition {
  return serviceDefinition(currentSystem(), {
    command,
    dataDirectory: directory.path,
    isDefaultDirectory: directory.path === defaultDataDirectory(),
    homeDirectory: homedir(),
  });
}

async function removeData(directory: DataDirectory): Promise<void> {
  const entries = await readdir(directory.path).catch(() => null);
  if (entries === null) return;
  // Nobody may be using what is removed.
  DirectoryLock.acquire(directory)[Symbol.dispose]();
  const attachments = await readAttachments(directory).catch(() => []);
  // The coordinators give the work to others at once; when one is away, leases end by themselves.
  const signal = AbortSignal.timeout(DETACH_TIMEOUT_MS);
  await Promise.all(attachments.map((one) => detachHost(one, signal).catch(() => undefined)));
  for (const entry of await readdir(directory.path)) {
    if (OWN_ENTRY.test(entry)) await rm(directory.file(entry), { recursive: true, force: true });
  }
  await rmdir(directory.path).catch(() => {
    process.stderr.write(`${directory.path} holds files that are not the agent's: they were left\n`);
  });
}

/** Null, or why it failed. */
async function run([program, ...args]: CommandLine): Promise<string | null> {
  try {
    await promisify(execFile)(program, args, { timeout: COMMAND_TIMEOUT_MS, windowsHide: true });
    return null;
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    return stderr !== '' ? stderr : error instanceof Error ? error.message : String(error);
  }
}

interface Actions {
  readonly write?: readonly string[];
  readonly remove?: readonly string[];
  readonly run: readonly CommandLine[];
}

function tell({ isDryRun, json }: ServiceCommand, definition: ServiceDefinition, actions: Actions): void {
  if (json) {
    const { name, file } = definition;
    process.stdout.write(`${JSON.stringify({ dryRun: isDryRun, service: name, ...actions, file })}\n`);
    return;
  }
  const verb = (would: string, did: string): string => (isDryRun ? would : did);
  const lines = [
    ...(actions.write ?? []).map((path) => `${verb('would write', 'wrote')} ${path}`),
    ...(actions.remove ?? []).map((path) => `${verb('would remove', 'removed')} ${path}`),
    ...actions.run.map((line) => `${verb('would run', 'ran')} ${line.join(' ')}`),
    ...(actions.write ? definition.notes : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
