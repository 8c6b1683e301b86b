import { AgentError, EXIT } from '../exit-codes.js';

/** @throws {AgentError} when the text is no http(s) address */
export function coordinatorUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new AgentError(
      `"${text}" is not the address of a coordinator: give one such as https://gleaner.example`,
      EXIT.usage,
    );
  }
  return url;
}
