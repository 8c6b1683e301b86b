import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { catchError, throwError, type Observable } from 'rxjs';
import { DomainError } from '../http/index.js';

const RETRY_SECONDS = 5;
/** How ioredis says that there is no server to talk to. */
const AWAY = /^(Command timed out|Connection is closed|Stream isn't writeable|Reached the max retries)/;

/** Where the board does not answer, peers are told so: they go on with whom they know, and with the origin. */
@Injectable()
export class BoardAway implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next
      .handle()
      .pipe(
        catchError((error: unknown) => throwError(() => (isBoardAway(error) ? unavailable(error) : error))),
      );
  }
}

export function isBoardAway(error: unknown): error is Error {
  return (
    error instanceof Error && (AWAY.test(error.message) || ('code' in error && error.code === 'ECONNREFUSED'))
  );
}

function unavailable(cause: unknown): DomainError {
  return new DomainError('unavailable', 'The tracker cannot be reached. Work and the HTTPS origin go on.', {
    headers: { 'retry-after': String(RETRY_SECONDS) },
    cause,
  });
}
