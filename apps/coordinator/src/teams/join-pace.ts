import { Injectable } from '@nestjs/common';
import { DomainError, RateLimiter, type Actor } from '../http/index.js';

/** Far more than anybody looks for a team; each of them holds up the granting of credit for a moment. */
export const JOINS_PER_HOUR = 30;
const HOUR_MS = 3_600_000;

/** How often one account may join a team or found one. */
@Injectable()
export class JoinPace {
  private readonly limiter = new RateLimiter(JOINS_PER_HOUR, HOUR_MS);

  /** @throws {DomainError} `rate-limited` */
  take({ accountId }: Actor): void {
    const { allowed, resetSeconds } = this.limiter.take(accountId);
    if (allowed) return;
    throw new DomainError(
      'rate-limited',
      `At most ${JOINS_PER_HOUR} times an hour one may join or found a team. Try again in ${resetSeconds} s.`,
      { headers: { 'retry-after': String(resetSeconds) } },
    );
  }
}
