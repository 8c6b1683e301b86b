interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

/** The one place where an error's code becomes an HTTP status and a title. Codes are part of the API: never rename one. */
export const PROBLEMS = {
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'malformed-request': { status: 400, title: 'The request is malformed' },
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'invalid-cursor': { status: 400, title: 'The cursor is not valid' },
  'bad-digest': { status: 400, title: 'The content does not have the declared digest' },
  'authorization-pending': { status: 400, title: 'The host waits for approval' },
  unauthorised: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'This token may not do that' },
  'access-denied': { status: 403, title: 'The host was turned down' },
  'project-not-approved': { status: 403, title: 'The project is not approved' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'not-acceptable': { status: 406, title: 'Not acceptable' },
  'request-timeout': { status: 408, title: 'The request took too long to come' },
  conflict: { status: 409, title: 'Conflict' },
  'already-exists': { status: 409, title: 'It exists already' },
  'claimed-already': { status: 409, title: 'It was claimed already' },
  'idempotency-conflict': { status: 409, title: 'The Idempotency-Key was used for another request' },
  'wrong-state': { status: 409, title: 'Not possible in this state' },
  'expired-code': { status: 410, title: 'The code is not valid any longer' },
  'precondition-failed': { status: 412, title: 'It was changed meanwhile' },
  'protocol-version': { status: 412, title: 'That version of the protocol is not supported' },
  'too-large': { status: 413, title: 'The request is too large' },
  'upload-room-used-up': { status: 413, title: 'Uploads hold as much as they may' },
  'uri-too-long': { status: 414, title: 'The address is too long' },
  'unsupported-media-type': { status: 415, title: 'The content type is not supported' },
  'range-not-satisfiable': { status: 416, title: 'The range is outside of the content' },
  'expectation-failed': { status: 417, title: 'The expectation is not understood' },
  'module-refused': { status: 422, title: 'The module was not admitted' },
  'job-refused': { status: 422, title: 'The job cannot run as it is' },
  'agent-too-old': { status: 426, title: 'This agent is too old' },
  'precondition-required': { status: 428, title: 'If-Match is needed' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something failed inside the coordinator' },
  unavailable: { status: 503, title: 'The coordinator is not available' },
  'server-busy': { status: 503, title: 'The coordinator is busy' },
  'insufficient-storage': { status: 507, title: 'The coordinator has no room for uploads' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** The stable `type` of a problem: an identifier, not an address to fetch. */
export function problemType(code: ProblemCode): string {
  return `urn:gleaner:problem:${code}`;
}
