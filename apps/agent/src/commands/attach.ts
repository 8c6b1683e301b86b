import { parse, resolve } from 'node:path';
import type { AttachedHost, HostFacts } from '@gleaner/protocol';
import { attachByCode, attachHost, completePolicy, describeAccount, describeHost } from '@gleaner/worker-sdk';
import {
  ATTACHMENTS_NAME,
  DamagedAttachmentsError,
  DEFAULT_WEIGHT,
  directoryFor,
  findAttachment,
  readAttachments,
  salvageAttachments,
  writeAttachments,
  type Attachment,
} from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { homeDirectory } from '../home-directory.js';
import { asAgentError } from './as-agent-error.js';
import { commandLine } from './command-line.js';
import { coordinatorUrl } from './coordinator-url.js';
import { consentToPeers, introduce } from './introduce.js';
import { tell } from '../terminal.js';
import { AGENT_VERSION } from '../version.js';

export interface AttachCommand {
  readonly url: string;
  readonly directory: DataDirectory;
  readonly anonymous: boolean;
  readonly token: string | undefined;
  /** The token is the environment's: whoever typed the command may not think of it. */
  readonly isTokenInherited: boolean;
  readonly hostName: string | undefined;
  /** Consent to exchange data with other volunteers; undefined: ask at a terminal. */
  readonly p2p: boolean | undefined;
  /** Share of the cores in relation to the other projects; undefined: that of a project nobody weighed, or as it was. */
  readonly weight: number | undefined;
  readonly json: boolean;
}

/**
 * Joins a project, the first or one more, with a token, anonymously, or by a code that the volunteer approves, and keeps the
 * host's own token in the data directory. An agent that runs takes notice within a second. With a weight and an address
 * that is attached already, changes the weight.
 */
export async function attach(command: AttachCommand): Promise<void> {
  const { directory, token } = command;
  const url = coordinatorUrl(command.url);
  if (command.anonymous && token !== undefined) {
    throw new AgentError('give --anonymous or --token TOKEN, not both', EXIT.usage);
  }
  // No header takes other characters: it would be told as an absent coordinator.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new AgentError(
      'the token (--token, GLEANER_TOKEN) holds characters that no token has: copy it anew, from gln_ on',
      EXIT.usage,
    );
  }
  requireOwnDirectory(directory);
  await directory.create();
  using _ = DirectoryLock.acquireAttachments(directory);
  const others = await legibleAttachments(directory);
  const before = findAttachment(others, url);
  if (before) {
    await reweigh(command, others, before);
    return;
  }
  if (!command.json) {
    await introduce(url);
    if (command.isTokenInherited && token !== undefined) await tellWhoseToken(url, token);
  }
  const p2p = command.json ? (command.p2p ?? false) : await consentToPeers(command.p2p);
  const facts = describeHost(completePolicy({}), AGENT_VERSION, command.hostName);
  const attached = await join(command, url, facts).catch((error: unknown) => {
    throw asAgentError(error);
  });
  const weight = command.weight ?? DEFAULT_WEIGHT;
  const attachment: Attachment = {
    coordinator: url.href,
    coordinatorName: attached.coordinator.name,
    hostId: attached.hostId,
    accountId: attached.accountId,
    anonymous: attached.anonymous,
    token: attached.secret,
    p2p,
    attachedAt: new Date().toISOString(),
    weight,
    directory: directoryFor(url, others),
  };
  await writeAttachments(directory, [...others, attachment]);
  const { hostId, accountId, anonymous, coordinator } = attached;
  if (command.json) {
    process.stdout.write(`${JSON.stringify({ hostId, accountId, anonymous, coordinator, weight })}\n`);
    return;
  }
  const who = anonymous ? 'an anonymous volunteer' : `account ${accountId}`;
  tell(
    `This machine is host ${hostId} of ${who} at ${coordinator.name} (${url.href}).\n` +
      (anonymous
        ? `Its work can become yours later: on the website, under your machines, with its token in ${directory.file(ATTACHMENTS_NAME)}.\n`
        : facts.isNamed === true
          ? `Leaderboards show it as "${facts.name}"; the website gives it another name.\n`
          : `Leaderboards show it as "host ${hostId}" until you name it on the website.\n`) +
      'Its owner sees on the website what it does and why it rests, such as "you are typing"; nobody else does.\n' +
      (others.length > 0 ? `${sharesText([...others, attachment])}\n` : '') +
      `Start computing with: ${commandLine('run', directory)}`,
  );
}

/** A code would have been shown to whoever set the variable for something else, such as the commands of a scientist. */
async function tellWhoseToken(coordinator: URL, token: string): Promise<void> {
  // A token that is not accepted says so when the host is to be attached.
  const owner = await describeAccount({ coordinator, token }, AbortSignal.timeout(30_000)).catch(() => null);
  const whose = owner ? `account ${owner.id} (${owner.name})` : 'an account';
  tell(
    `Joining ${whose} with the token in GLEANER_TOKEN. Unset that variable to get a code instead, which another account can approve.`,
  );
}

/** The agent makes its directory readable to its owner alone, and uninstalling removes it. */
function requireOwnDirectory({ path }: DataDirectory): void {
  const home = homeDirectory();
  const isHome = home !== null && path === resolve(home);
  if (!isHome && path !== parse(path).root) return;
  throw new AgentError(
    `${path} cannot be the agent's: give it a directory of its own with --data`,
    EXIT.usage,
  );
}

/** Attaching anew is how one gets out of a damaged file; what can be read of it stays. */
async function legibleAttachments(directory: DataDirectory): Promise<Attachment[]> {
  try {
    return await readAttachments(directory);
  } catch (error) {
    if (!(error instanceof DamagedAttachmentsError)) throw error;
    const { path, projects } = await salvageAttachments(directory);
    if (projects.length > 0) await writeAttachments(directory, projects);
    tell(
      `The damaged state is put aside as ${path}. Of the projects in it, ${projects.length} could be read and remain.`,
    );
    return projects;
  }
}

async function reweigh(
  { directory, weight, json }: AttachCommand,
  all: readonly Attachment[],
  before: Attachment,
): Promise<void> {
  if (weight === undefined) {
    throw new AgentError(
      `${directory.path} is already attached to ${before.coordinator}: "${commandLine(`detach ${new URL(before.coordinator).origin}`, directory)}" first, ` +
        'or give --weight N to change its share',
      EXIT.usage,
    );
  }
  const after = all.map((one) => (one === before ? { ...one, weight } : one));
  await writeAttachments(directory, after);
  const { coordinator, hostId } = before;
  if (json) process.stdout.write(`${JSON.stringify({ hostId, coordinator, weight })}\n`);
  else tell(sharesText(after));
}

/** `Cores are shared by weight: Gleaner 75 %, Other 25 %`. */
function sharesText(all: readonly Attachment[]): string {
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  const shares = all.map((one) => `${one.coordinatorName} ${Math.round((100 * one.weight) / total)} %`);
  return `Cores are shared by weight: ${shares.join(', ')}.`;
}

async function join(
  { token, anonymous }: AttachCommand,
  coordinator: URL,
  facts: HostFacts,
): Promise<AttachedHost> {
  if (anonymous || token !== undefined) {
    const options = { coordinator, facts, ...(token !== undefined && { token }) };
    return attachHost(options, AbortSignal.timeout(30_000));
  }
  const onCode: Parameters<typeof attachByCode>[0]['onCode'] = (code) => {
    tell(
      `Approve this machine with the code ${code.userCode} at ${code.verificationUriComplete}\n` +
        `Waiting, for at most ${Math.round(code.expiresInSeconds / 60)} minutes …`,
    );
  };
  return attachByCode({ coordinator, facts, onCode }, AbortSignal.timeout(3_600_000));
}
