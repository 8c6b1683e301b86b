import { CoordinatorError } from '@gleaner/worker-sdk';
import { AgentError, EXIT } from '../exit-codes.js';

/** Gives a failed call its exit code. */
export function asAgentError(error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  // The system's word for it is of an operation that was aborted.
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    const message = 'the coordinator cannot be reached (no answer in time)';
    return new AgentError(message, EXIT.coordinatorUnreachable, { cause: error });
  }
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

/** Why a project ended: with what to do where starting again would not help. */
export function asEnding(error: Error, coordinator: string): AgentError {
  const ending = asAgentError(error);
  if (ending.exitCode !== EXIT.tokenRefused) return ending;
  const advice = `"gleaner agent detach ${new URL(coordinator).origin}", then attach it again`;
  const message = `${ending.message} This machine may have been removed on the website: ${advice}`;
  return new AgentError(message, ending.exitCode, { cause: error });
}
