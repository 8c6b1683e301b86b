import { networkPrefix } from '@gleaner/domain';
import type { FastifyRequest } from 'fastify';

/** Where a request comes from, as limits count it: one person may have as many addresses of a network as they like. */
export function callerNetwork(request: FastifyRequest): string {
  return networkPrefix(request.ip) ?? request.ip;
}
