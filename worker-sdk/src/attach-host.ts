import { arch, hostname, platform } from 'node:os';
import { account, attachedHost, type Account, type AttachedHost, type HostFacts } from '@gleaner/protocol';
import { CoordinatorClient } from './coordinator-client.js';
import type { WorkerPolicy } from './policy.js';

export interface AttachOptions {
  readonly coordinator: string | URL;
  /** A `gln_…` token with the `work` scope; without one the host joins as an anonymous volunteer. */
  readonly token?: string;
  readonly facts: HostFacts;
}

/**
 * What this machine tells about itself.
 *
 * @param name that its owner has chosen, for leaderboards to show; without one it is called as the machine is, for its owner alone
 */
export function describeHost(policy: WorkerPolicy, agentVersion: string, name?: string): HostFacts {
  return {
    name: (name ?? hostname()).slice(0, 80) || 'host',
    ...(name !== undefined && { isNamed: true }),
    kind: 'agent',
    platform: `${platform()}-${arch()}`.slice(0, 40),
    cores: policy.cores,
    memoryMiB: policy.memoryMiB,
    agentVersion,
  };
}

/**
 * POST /v1/hosts: exchanges an account's token (or nothing) for a revocable token that can only work, only as this host.
 *
 * @throws {CoordinatorError} that says whether the URL, the network or the token is wrong
 */
export async function attachHost(options: AttachOptions, signal: AbortSignal): Promise<AttachedHost> {
  const client = new CoordinatorClient({
    baseUrl: new URL(options.coordinator),
    ...(options.token !== undefined && { token: options.token }),
  });
  return client.postJson(ATTACH_PATH, { host: options.facts }, attachedHost, signal);
}

/**
 * GET /v1/accounts/me: whose token it is.
 *
 * @throws {CoordinatorError} that says whether the URL, the network or the token is wrong
 */
export async function describeAccount(
  options: { readonly coordinator: string | URL; readonly token: string },
  signal: AbortSignal,
): Promise<Account> {
  const client = new CoordinatorClient({ baseUrl: new URL(options.coordinator), token: options.token });
  return client.getJson('/v1/accounts/me', account, signal);
}

/** DELETE of the host itself with its own token, which is revoked by it. */
export async function detachHost(
  options: { readonly coordinator: string | URL; readonly token: string; readonly hostId: string },
  signal: AbortSignal,
): Promise<void> {
  const client = new CoordinatorClient({ baseUrl: new URL(options.coordinator), token: options.token });
  await client.delete(`/v1/hosts/${options.hostId}`, signal);
}

const ATTACH_PATH = '/v1/hosts';
