import type { AttachedHost } from '@gleaner/protocol';
import {
  attachByCode,
  attachHost,
  completePolicy,
  CoordinatorError,
  describeHost,
} from '@gleaner/worker-sdk';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { trustSystemAuthorities } from '../network-settings.js';
import { consentToPeers, introduce } from './introduce.js';
import { AGENT_VERSION } from '../version.js';

export interface AttachCommand {
  readonly url: string;
  readonly directory: DataDirectory;
  readonly anonymous: boolean;
  readonly token: string | undefined;
  readonly hostName: string | undefined;
  /** Consent to exchange data with other volunteers; undefined: ask at a terminal. */
  readonly p2p: boolean | undefined;
  readonly json: boolean;
}

/**
 * Joins a project with a token, anonymously, or by a code that the volunteer approves, and keeps the host's own token in
 * the data directory.
 */
export async function attach(command: AttachCommand): Promise<void> {
  const { directory, token } = command;
  const url = coordinatorUrl(command.url);
  if (command.anonymous && token !== undefined) {
    throw new AgentError('give --anonymous or --token TOKEN, not both', EXIT.usage);
  }
  trustSystemAuthorities(url);
  await directory.create();
  using _ = DirectoryLock.acquire(directory.file('agent.lock'), directory.path);
  const before = await directory.readAttachment().catch(() => undefined);
  if (before) {
    throw new AgentError(
      `${directory.path} is already attached to ${before.coordinator}: "gleaner agent detach" first`,
      EXIT.usage,
    );
  }
  if (!command.json) await introduce(url);
  const p2p = command.json ? (command.p2p ?? false) : await consentToPeers(command.p2p);
  const attached = await join(command, url).catch((error: unknown) => {
    throw asAgentError(error);
  });
  await directory.writeAttachment({
    v: 1,
    coordinator: url.href,
    coordinatorName: attached.coordinator.name,
    hostId: attached.hostId,
    accountId: attached.accountId,
    anonymous: attached.anonymous,
    token: attached.secret,
    p2p,
    attachedAt: new Date().toISOString(),
  });
  const { hostId, accountId, anonymous, coordinator } = attached;
  if (command.json) {
    process.stdout.write(`${JSON.stringify({ hostId, accountId, anonymous, coordinator })}\n`);
    return;
  }
  const who = anonymous ? 'an anonymous volunteer' : `account ${accountId}`;
  process.stderr.write(
    `This machine is host ${hostId} of ${who} at ${coordinator.name} (${url.href}).\n` +
      'Start computing with: gleaner agent run\n',
  );
}

async function join({ token, anonymous, hostName }: AttachCommand, coordinator: URL): Promise<AttachedHost> {
  const facts = describeHost(completePolicy({}), AGENT_VERSION, hostName);
  if (anonymous || token !== undefined) {
    const options = { coordinator, facts, ...(token !== undefined && { token }) };
    return attachHost(options, AbortSignal.timeout(30_000));
  }
  const onCode: Parameters<typeof attachByCode>[0]['onCode'] = (code) => {
    process.stderr.write(
      `Approve this machine with the code ${code.userCode} at ${code.verificationUriComplete}\n` +
        `Waiting, for at most ${Math.round(code.expiresInSeconds / 60)} minutes …\n`,
    );
  };
  return attachByCode({ coordinator, facts, onCode }, AbortSignal.timeout(3_600_000));
}

/** @throws {AgentError} when the text is no http(s) address */
function coordinatorUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new AgentError(
      `"${text}" is not the address of a coordinator: give one such as https://gleaner.example`,
      EXIT.usage,
    );
  }
  return url;
}

/** Gives a failed call its exit code. */
export function asAgentError(error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  if (!(error instanceof CoordinatorError)) {
    return new AgentError(error instanceof Error ? error.message : String(error), EXIT.failure, {
      cause: error,
    });
  }
  switch (error.kind) {
    case 'revoked':
      return new AgentError(error.message, EXIT.tokenRefused, { cause: error });
    case 'unreachable':
    case 'unavailable':
    case 'not-a-coordinator':
      return new AgentError(error.message, EXIT.coordinatorUnreachable, { cause: error });
    case 'too-old':
    case 'refused':
      return new AgentError(error.message, EXIT.failure, { cause: error });
  }
}
