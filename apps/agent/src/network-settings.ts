import http from 'node:http';
import tls from 'node:tls';

/**
 * Goes through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, and trusts the authorities that the system trusts
 * beside Node's own, such as a company's. Node does neither by itself.
 *
 * @throws {TypeError} when a proxy's address is none
 */
export function followEnvironment(): void {
  // Older Node 24 has neither: there NODE_USE_ENV_PROXY=1 and NODE_OPTIONS=--use-system-ca do the same.
  const { setGlobalProxyFromEnv } = http as Partial<typeof http>;
  const { setDefaultCACertificates } = tls as Partial<typeof tls>;
  if (hasProxy(process.env)) setGlobalProxyFromEnv?.();
  if (!setDefaultCACertificates) return;
  const system = tls.getCACertificates('system');
  if (system.length === 0) return;
  setDefaultCACertificates([...tls.getCACertificates('default'), ...system]);
}

function hasProxy(environment: Readonly<Record<string, string | undefined>>): boolean {
  return ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => environment[name]);
}
