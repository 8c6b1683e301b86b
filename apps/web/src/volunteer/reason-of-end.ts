import { CoordinatorError } from '@gleaner/worker-sdk/browser';

/**
 * Why volunteering ended by itself, or did not begin. The worker's own words are for those who attach a machine by an address and a
 * token; whoever looks at a page has neither.
 */
export function reasonOfEnd(error: Error): string {
  if (error.name === 'TimeoutError')
    return 'The coordinator took too long to answer. Start again in a moment.';
  if (!(error instanceof CoordinatorError)) return error.message;
  switch (error.kind) {
    case 'revoked':
      return 'The coordinator does not know this machine any more: it was detached, or its account is gone. Start again, and this browser becomes another machine.';
    case 'unreachable':
      return 'The coordinator could not be reached. Start again in a moment.';
    case 'not-a-coordinator':
      return 'Somebody else answered in the coordinator’s place: perhaps this network wants you to sign in first. Load this page anew, then start again.';
    case 'too-old':
      return 'This page is older than the coordinator. Load it anew, then start again.';
    case 'unavailable':
      // Without a problem it is a proxy that answered.
      return error.details.problem
        ? error.message
        : 'The coordinator cannot answer just now. Start again in a moment.';
    case 'refused':
      return error.message;
  }
}
