import { DomainError, type RateLimiter } from '../http/index.js';

/** Guesses at one person's password, wherever they come from. */
export const TRIES_PER_ADDRESS_AND_HOUR = 20;

/** @throws {DomainError} `rate-limited` */
export function limitTries(limiter: RateLimiter, caller: string): void {
  const { allowed, resetSeconds } = limiter.take(caller);
  if (allowed) return;
  throw new DomainError('rate-limited', `Too many tries. Try again in ${resetSeconds} s.`, {
    headers: { 'retry-after': String(resetSeconds) },
  });
}
