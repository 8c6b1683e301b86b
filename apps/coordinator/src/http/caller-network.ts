import { networkPrefix } from '@gleaner/domain';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config/index.js';
import { publicUrl } from './paths.js';

/** What a proxy adds to what it passes on, as a rule. */
const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];
const LOOPBACK_NETWORKS = /^(127\.|0:0:0::\/48$)/;
const LOOPBACK_NAMES = /^(localhost|.+\.localhost|127\.[\d.]+|\[::1\])$/;

/** Where a request comes from, as limits count it: one person may have as many addresses of a network as they like. */
export function callerNetwork(request: FastifyRequest): string {
  // Undefined, whatever its type says, once the caller has gone.
  const address: string | undefined = request.ip;
  return networkPrefix(address) ?? address ?? 'gone';
}

/**
 * Where a request comes from, for people to judge by. Null where that would be told of a proxy that nobody said to trust: it
 * names whom it speaks for, or it sits on this machine, which the caller calls by a name that others use.
 */
export function knownCallerNetwork(
  request: FastifyRequest,
  config: Pick<Config, 'trustProxy' | 'publicUrl'>,
): string | null {
  const network = networkPrefix(request.ip);
  if (network === null) return null;
  const isForwarded = FORWARDING_HEADERS.some((name) => request.headers[name] !== undefined);
  if (config.trustProxy === false && isForwarded) return null;
  const isFromHere = LOOPBACK_NETWORKS.test(network);
  return isFromHere && !isLoopbackName(publicUrl(config, request)) ? null : network;
}

/** Not of what is no URL either: the caller chose the name in it. */
function isLoopbackName(url: string): boolean {
  return URL.canParse(url) && LOOPBACK_NAMES.test(new URL(url).hostname);
}
