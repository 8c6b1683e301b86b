import { AgentError, EXIT } from '../exit-codes.js';

/**
 * The address of a coordinator: its origin, and nothing else. Of two ways to write one coordinator, one machine would make
 * two volunteers who agree with each other.
 *
 * @throws {AgentError} when the text is no http(s) address, or leads somewhere below one
 */
export function coordinatorUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new AgentError(
      `"${text}" is not the address of a coordinator: give one such as https://gleaner.example`,
      EXIT.usage,
    );
  }
  const origin = new URL(url.origin);
  // An empty query or hash is none.
  const rest = [url.username, url.password, url.search, url.hash].join('');
  if (url.pathname !== '/' || rest !== '') {
    throw new AgentError(
      `"${text}" says more than the address of a coordinator, which ends after host and port: write ${origin.origin}`,
      EXIT.usage,
    );
  }
  return origin;
}
