import { Injectable } from '@nestjs/common';
import { DomainError, RateLimiter, type HostActor } from '../http/index.js';

/** A host that shares many files asks a few times a second for each that it still fetches. */
const REQUESTS_PER_MINUTE = 6_000;
const MINUTE_MS = 60_000;

/** How often one host may call the tracker. */
@Injectable()
export class HostPace {
  private readonly limiter = new RateLimiter(REQUESTS_PER_MINUTE, MINUTE_MS);

  /** @throws {DomainError} `rate-limited` */
  take({ hostId }: HostActor): void {
    const decision = this.limiter.take(hostId);
    if (decision.allowed) return;
    throw new DomainError(
      'rate-limited',
      `At most ${REQUESTS_PER_MINUTE} requests a minute of one host. Try again in ${decision.resetSeconds} s.`,
      { headers: { 'retry-after': String(decision.resetSeconds) } },
    );
  }
}
