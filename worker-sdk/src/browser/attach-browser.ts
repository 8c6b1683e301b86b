import { attachedHost, type AttachedHost, type HostFacts } from '@gleaner/protocol';
import { CoordinatorClient } from '../coordinator-client.js';

/** Memory that a tab offers to one task, in MiB: what a phone's browser can give without being killed. */
export const TAB_MEMORY_MIB = 512;

/** What this tab tells about itself. */
export function describeBrowser(name: string, version: string): HostFacts {
  // Missing in some browsers, whatever the types say.
  const cores = (navigator.hardwareConcurrency as number | undefined) ?? 1;
  return {
    name: name.trim().slice(0, 80) || 'browser',
    kind: 'browser',
    platform: platformOf(navigator.userAgent),
    cores: Math.max(1, Math.min(1024, cores)),
    memoryMiB: TAB_MEMORY_MIB,
    agentVersion: version,
  };
}

/**
 * POST /v1/hosts from a tab: an anonymous volunteer without a token, else a host of the token's account.
 *
 * @throws {CoordinatorError} that says whether the network or the token is wrong
 */
export async function attachBrowser(
  options: { readonly coordinator: string | URL; readonly token?: string; readonly facts: HostFacts },
  signal: AbortSignal,
): Promise<AttachedHost> {
  const { coordinator, facts, token } = options;
  const client = new CoordinatorClient({
    baseUrl: new URL(coordinator),
    ...(token !== undefined && { token }),
  });
  return client.postJson('/v1/hosts', { host: facts }, attachedHost, signal);
}

/** Engine and system only: enough to see what fails where, too little to tell people apart. */
function platformOf(userAgent: string): string {
  const engine = ['Firefox', 'Edg', 'Chrome', 'Safari'].find((name) => userAgent.includes(name)) ?? 'browser';
  const system = ['Android', 'iPhone', 'Windows', 'Mac OS X', 'Linux'].find((name) =>
    userAgent.includes(name),
  );
  return `${engine.toLowerCase()}-${(system ?? 'unknown').toLowerCase().replaceAll(' ', '-')}`.slice(0, 40);
}
