import type { WorkerIdentity } from '../volunteer-worker.js';

/**
 * Gives back everything that a closing tab holds, in a request that outlives the page. Best effort: a lease that is not
 * returned ends by itself.
 */
export function sayFarewell({ coordinator, credentials }: WorkerIdentity): void {
  void fetch(new URL('/v1/heartbeat', coordinator), {
    method: 'POST',
    keepalive: true,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${credentials.token}` },
    body: JSON.stringify({ running: [], leaving: true }),
  }).catch(() => undefined);
}
