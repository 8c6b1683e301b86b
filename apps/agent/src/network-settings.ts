import http from 'node:http';
import tls from 'node:tls';

const REACH_WITHIN_MS = 5_000;

/**
 * Goes through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name; Node does not by itself.
 *
 * @throws {TypeError} when a proxy's address is none
 */
export function followProxies(): void {
  // An older Node 24 does not have it: there NODE_USE_ENV_PROXY=1 does the same.
  const { setGlobalProxyFromEnv } = http as Partial<typeof http>;
  if (hasProxy(process.env)) setGlobalProxyFromEnv?.();
}

/**
 * Trusts the authorities that the system trusts beside Node's own, such as a company's. They cost megabytes, so that is only
 * done where the coordinator cannot be reached without.
 */
export async function trustSystemAuthorities(coordinator: URL): Promise<void> {
  // An older Node 24 does not have it: there NODE_OPTIONS=--use-system-ca does the same.
  const { setDefaultCACertificates } = tls as Partial<typeof tls>;
  if (coordinator.protocol !== 'https:' || !setDefaultCACertificates) return;
  if (await isReached(coordinator)) return;
  const known = tls.getCACertificates('default');
  const isKnown = new Set(known);
  const further = tls.getCACertificates('system').filter((certificate) => !isKnown.has(certificate));
  // Two stores of a hundred certificates each cost 20 MB: only what is missing is worth it.
  if (further.length > 0) setDefaultCACertificates([...known, ...further]);
}

/** A coordinator that is away may turn out to need them later. */
async function isReached(coordinator: URL): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(REACH_WITHIN_MS);
    const { body } = await fetch(new URL('/v1/coordinator', coordinator), { signal });
    await body?.cancel();
    return true;
  } catch {
    return false;
  }
}

function hasProxy(environment: Readonly<Record<string, string | undefined>>): boolean {
  return ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => environment[name]);
}
