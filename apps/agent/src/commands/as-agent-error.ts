import { CoordinatorError } from '@gleaner/worker-sdk';
import { AgentError, EXIT } from '../exit-codes.js';

/** Gives a failed call its exit code. */
export function asAgentError(error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  if (!(error instanceof CoordinatorError)) {
    return new AgentError(error instanceof Error ? error.message : String(error), EXIT.failure, {
      cause: error,
    });
  }
  switch (error.kind) {
    case 'revoked':
      return new AgentError(error.message, EXIT.tokenRefused, { cause: error });
    case 'unreachable':
    case 'unavailable':
    case 'not-a-coordinator':
      return new AgentError(error.message, EXIT.coordinatorUnreachable, { cause: error });
    case 'too-old':
      return new AgentError(error.message, EXIT.tooOld, { cause: error });
    case 'refused':
      return new AgentError(error.message, EXIT.failure, { cause: error });
  }
}
