import { Injectable } from '@nestjs/common';
import { DomainError, RateLimiter, type Actor } from '../http/index.js';

const HOUR_MS = 3_600_000;

/** Rows that one account may have made in an hour of what stays for good; far more than people do, and scripts with sense. */
export const LASTING_CHANGES_PER_HOUR = {
  /** A whole campus that is set up by one person. */
  machines: 2000,
  /** Tokens, sessions, names and approvals, each with its entry in the log. */
  others: 200,
} as const;

/** How often one account may do what leaves something behind that nobody ever removes. Operators are not bound. */
@Injectable()
export class LastingChanges {
  private readonly limiters = {
    machines: new RateLimiter(LASTING_CHANGES_PER_HOUR.machines, HOUR_MS),
    others: new RateLimiter(LASTING_CHANGES_PER_HOUR.others, HOUR_MS),
  };

  /** @throws {DomainError} `rate-limited` */
  take(
    { accountId, operator }: Pick<Actor, 'accountId' | 'operator'>,
    kind: keyof typeof LASTING_CHANGES_PER_HOUR,
  ): void {
    if (operator) return;
    const { allowed, limit, resetSeconds } = this.limiters[kind].take(accountId);
    if (allowed) return;
    const what =
      kind === 'machines'
        ? `At most ${limit} machines are attached to one account`
        : `At most ${limit} tokens, sign-ins with tokens, changes of the name and approvals of machines are made by one account`;
    throw new DomainError('rate-limited', `${what} in an hour. Try again in ${resetSeconds} s.`, {
      headers: { 'retry-after': String(resetSeconds) },
    });
  }
}
