/**
 * Gives back everything that a closing tab holds, in a request that outlives the page. Best effort: a lease that is not
 * returned ends by itself.
 */
export function sayFarewell(baseUrl: URL, token: string): void {
  void fetch(new URL('/v1/heartbeat', baseUrl), {
    method: 'POST',
    keepalive: true,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ running: [], leaving: true }),
  }).catch(() => undefined);
}
