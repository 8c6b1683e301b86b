import { networkPrefix } from '@gleaner/domain';
import type { FastifyRequest } from 'fastify';

/** Where a request comes from, as limits count it: one person may have as many addresses of a network as they like. */
export function callerNetwork(request: FastifyRequest): string {
  // Undefined, whatever its type says, once the caller has gone.
  const address: string | undefined = request.ip;
  return networkPrefix(address) ?? address ?? 'gone';
}
