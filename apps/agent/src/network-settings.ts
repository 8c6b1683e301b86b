import http from 'node:http';
import tls from 'node:tls';
import { isUntrustedCertificate } from '@gleaner/worker-sdk';

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
 * Trusts the authorities that the system trusts beside Node's own, such as a company's, from the first certificate on that
 * needs them: a coordinator may change its own at any time, and where none needs them they would cost megabytes for nothing.
 * The request that met the certificate is made once more; nothing of it had been sent.
 */
export function trustSystemAuthoritiesOnDemand(): void {
  // An older Node 24 does not have it: there NODE_OPTIONS=--use-system-ca does the same.
  const { setDefaultCACertificates } = tls as Partial<typeof tls>;
  if (!setDefaultCACertificates) return;
  const plainFetch = globalThis.fetch;
  let areTrusted = false;
  globalThis.fetch = async (...request) => {
    const wereTrusted = areTrusted;
    try {
      return await plainFetch(...request);
    } catch (error) {
      if (wereTrusted || !isUntrustedCertificate(error)) throw error;
      // Of requests that fail together, the first one reads them for all.
      if (!areTrusted) setDefaultCACertificates(withSystemAuthorities());
      areTrusted = true;
      return plainFetch(...request);
    }
  };
}

/** Two stores of a hundred certificates each cost 20 MB: only what is missing is added. */
function withSystemAuthorities(): string[] {
  const known = tls.getCACertificates('default');
  return [...new Set([...known, ...tls.getCACertificates('system')])];
}

function hasProxy(environment: Readonly<Record<string, string | undefined>>): boolean {
  return ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => environment[name]);
}
