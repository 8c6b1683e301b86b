import { expect, it } from 'vitest';
import { asAgentError } from './as-agent-error.js';

it('a coordinator that takes a call and never answers is one that cannot be reached', () => {
  const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  expect(asAgentError(timeout)).toMatchObject({
    message: 'the coordinator cannot be reached (no answer in time)',
    exitCode: 5,
  });
});
