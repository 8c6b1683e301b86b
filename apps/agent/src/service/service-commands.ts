import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { detachHost } from '@gleaner/worker-sdk';
import { readAttachments, requireAttachments } from '../attachments.js';
import { usualDataDirectory, type DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { homeDirectory } from '../home-directory.js';
import { currentSystem } from '../probes/system.js';
import { serviceDefinition, type CommandLine, type ServiceDefinition } from './service-definition.js';
import { installService, removeEmptyAbove, uninstallService } from './service-manager.js';
import { withoutUserInfo } from './without-user-info.js';

export interface ServiceCommand {
  readonly directory: DataDirectory;
  /** Program and arguments that start this agent. */
  readonly command: readonly string[];
  /** Show what would be done, and do nothing. */
  readonly isDryRun: boolean;
  readonly json: boolean;
}

const DETACH_TIMEOUT_MS = 10_000;
/** How an agent reaches its coordinators where that takes more than an address; a service does not have the shell's environment. */
const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
const AUTHORITY_VARIABLES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'];
/** What makes a directory an agent's. */
const OWN_MARK = /^((attachment|status|control|preferences)\.json(\.damaged)?|(agent|attach)\.lock)$/;
/** Everything that agents ever put into their directory; what others put there stays. */
const OWN_ENTRY =
  /^(attachment|status|control|preferences|tallies|shares|wishes|owner)\.json(\.damaged|\..*tmp)?$|^(agent|attach)\.lock|^(tasks|results|outputs|snapshots|cache|chunks|swarm|projects|logs)$/;

/** Has the service manager start the agent from now on, and now. */
export async function install(command: ServiceCommand): Promise<void> {
  const definition = definitionFor(command);
  if (command.isDryRun) {
    const { file, start, stop } = definition;
    tell(command, definition, {
      write: [file.path],
      run: existsSync(file.path) ? [...stop, ...start] : start,
    });
    if (!command.json) process.stdout.write(`\n${shownDefinition(command).file.content}`);
    return;
  }
  const { directory } = command;
  await requireAttachments(directory);
  const isUsed = DirectoryLock.isHeld(directory);
  const { files, ran, wasInstalled } = await installService(definition);
  tell(command, definition, { write: files, run: ran });
  if (!isUsed || wasInstalled) return;
  const again = definition.start.at(-1)?.join(' ') ?? '';
  process.stderr.write(
    `An agent computes in ${directory.path} already, and a second one ends at once: end it ("gleaner agent finish"), then: ${again}\n`,
  );
}

/** Ends the service and takes back what installing wrote; on demand also everything that the agent ever kept. */
export async function uninstall(command: ServiceCommand & { readonly removesData: boolean }): Promise<void> {
  const { directory, removesData, isDryRun } = command;
  const definition = definitionFor(command);
  if (isDryRun) {
    const remove = [definition.file.path, ...(removesData ? [directory.path] : [])];
    tell(command, definition, { remove, run: [...definition.stop, ...definition.afterRemoval] });
    return;
  }
  const { files, ran, failures } = await uninstallService(definition);
  for (const failure of failures) process.stderr.write(`${failure}\n`);
  const removed = removesData && (await removeData(directory)) ? [directory.path] : [];
  tell(command, definition, { remove: [...files, ...removed], run: ran });
}

/** @param addressText how the address of a proxy is put, with the password that it may hold */
function definitionFor(
  { directory, command }: ServiceCommand,
  addressText: (address: string) => string = (address) => address,
): ServiceDefinition {
  const told = (names: readonly string[]) =>
    names.flatMap((name) => (process.env[name] ? [[name, process.env[name]] as const] : []));
  const proxies = told(PROXY_VARIABLES).map(([name, address]) => [name, addressText(address)] as const);
  const authorities = told(AUTHORITY_VARIABLES).map(([name, path]) => [name, resolve(path)] as const);
  return serviceDefinition(currentSystem(), {
    command,
    dataDirectory: directory.path,
    isDefaultDirectory: directory.path === usualDataDirectory(),
    homeDirectory: homeDirectory() ?? refuseWithoutHome(),
    environment: Object.fromEntries([...proxies, ...authorities]),
  });
}

function refuseWithoutHome(): never {
  throw new AgentError('this user has no home directory, which a service needs: set HOME', EXIT.usage);
}

/** Without the passwords of proxies: what is printed ends in logs and bug reports. */
function shownDefinition(command: ServiceCommand): ServiceDefinition {
  return definitionFor(command, withoutUserInfo);
}

/** Whether the whole directory was removed. */
async function removeData(directory: DataDirectory): Promise<boolean> {
  const entries = await readdir(directory.path).catch(() => []);
  if (!entries.some((entry) => OWN_MARK.test(entry))) {
    process.stderr.write(`${directory.path} holds nothing of an agent: nothing was removed there\n`);
    return false;
  }
  // Nobody may be using what is removed.
  DirectoryLock.acquire(directory)[Symbol.dispose]();
  const attachments = await readAttachments(directory).catch(() => []);
  // The coordinators give the work to others at once; when one is away, leases end by themselves.
  const signal = AbortSignal.timeout(DETACH_TIMEOUT_MS);
  await Promise.all(attachments.map((one) => detachHost(one, signal).catch(() => undefined)));
  for (const entry of await readdir(directory.path)) {
    if (OWN_ENTRY.test(entry)) await rm(directory.file(entry), { recursive: true, force: true });
  }
  if ((await readdir(directory.path)).length > 0) {
    process.stderr.write(
      `Removed everything of the agent in ${directory.path}; it holds other files, which were left\n`,
    );
    return false;
  }
  await rmdir(directory.path);
  // What the volunteer named is the volunteer's, up to the directory itself.
  if (directory.path === usualDataDirectory()) await removeEmptyAbove(directory.path);
  return true;
}

interface Actions {
  readonly write?: readonly string[];
  readonly remove?: readonly string[];
  readonly run: readonly CommandLine[];
}

function tell(command: ServiceCommand, definition: ServiceDefinition, actions: Actions): void {
  const { isDryRun, json } = command;
  if (json) {
    const { name, file } = shownDefinition(command);
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
  const text =
    lines.length > 0 ? lines.join('\n') : `${definition.name} is not installed: nothing to take back`;
  process.stdout.write(`${text}\n`);
}
