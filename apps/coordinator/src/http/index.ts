export * from './access-changes.js';
export * from './access.guard.js';
export * from './actor.js';
export * from './bounded-cache.js';
export * from './byte-budget.js';
export * from './caller-network.js';
export { allowSilenceOnceRead, boundConnections } from './connection-bounds.js';
export * from './content-parsers.js';
export * from './domain-error.js';
export * from './etag.js';
export * from './event-stream.js';
export * from './http.module.js';
export {
  answerMalformedRequests,
  answerWhileClosing,
  MALFORMED_REQUEST_HANDLERS,
} from './malformed-requests.js';
export { TakesContent, tellRoutesWhatTheyConsume } from './media-types.js';
export * from './openapi.js';
export { OPERATION_PROBLEMS } from './operation-problems.js';
export { OPERATION_SUMMARIES } from './operation-summaries.js';
export { REQUEST_EXAMPLES } from './request-examples.js';
export { SendsContent } from './sends-content.js';
export * from './pagination.js';
export * from './paths.js';
export * from './problem-table.js';
export * from './problem.filter.js';
export * from './rate-limiter.js';
export * from './remembered.js';
export * from './route-index.js';
export * from './schema-validation.pipe.js';
export * from './session-cookie.js';
export * from './stream-slots.js';
export * from './token-directory.js';
