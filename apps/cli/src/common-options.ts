import { entityId } from '@gleaner/protocol';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ApiClient } from './api/api-client.js';
import { CliError, EXIT } from './cli-error.js';

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: true;
  readonly url?: string;
  readonly token?: string;
}

const DEFAULT_URL = 'http://localhost:8400';

/** Adds `--json`, and for commands that call the coordinator `--url` and `--token`. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--json', 'answer with JSON on stdout')
    .option('--url <url>', `address of the coordinator; default: GLEANER_URL or ${DEFAULT_URL}`)
    .option('--token <token>', 'your token (gln_…); default: GLEANER_TOKEN');
}

/**
 * For commands that need no coordinator: scripts may give every command the same `--url` and `--token`, which mean nothing
 * to these.
 */
export function withLocalOptions(command: Command, json = 'answer with JSON on stdout'): Command {
  return command
    .option('--json', json)
    .addOption(new Option('--url <url>').hideHelp())
    .addOption(new Option('--token <token>').hideHelp());
}

/**
 * Where and as whom a command speaks: options before environment before defaults.
 *
 * @param stopped of a command that listens for Ctrl-C, which nothing else ends then
 */
export function apiOf(options: CommonOptions, stopped?: AbortSignal): ApiClient {
  const url = options.url ?? fromEnvironment('GLEANER_URL') ?? DEFAULT_URL;
  requireCoordinatorUrl(url);
  const token = (options.token ?? fromEnvironment('GLEANER_TOKEN'))?.trim();
  if (token !== undefined && !isHeaderText(token)) {
    throw new CliError(
      'The token (--token, GLEANER_TOKEN) holds characters that no token has: copy it anew, from gln_ on',
      EXIT.usage,
    );
  }
  return new ApiClient({ url, token }, stopped);
}

/** A path may be a proxy's prefix; what else is there may be a password, and is not repeated. */
function requireCoordinatorUrl(text: string): void {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new CliError(`"${text}" is not the address of a coordinator (http:// or https://)`, EXIT.usage);
  }
  const rest = [url.username, url.password, url.search, url.hash].join('');
  if (rest === '') return;
  const bare = `${url.origin}${url.pathname}`;
  throw new CliError(
    `The address of a coordinator holds no user, no password and nothing after "?" or "#": write ${bare}`,
    EXIT.usage,
  );
}

/** Whether the text can be sent in a header as it is. */
function isHeaderText(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** A variable that is set but empty, as scripts leave it, says nothing. */
function fromEnvironment(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

/** Parser of an option that is a whole number. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** Parser of an option that is sent in a header. */
export function headerText(text: string): string {
  if (isHeaderText(text)) return text;
  throw new InvalidArgumentError('must be ASCII: letters, digits and punctuation');
}

/** Parser of an argument that is the number of a job or a token. */
export function entityNumber(text: string): string {
  if (entityId.safeParse(text).success) return text;
  throw new InvalidArgumentError('must be its number, such as 7');
}

/** Parser of `NAME@VERSION`. */
export function splitAppVersion(text: string): { name: string; version: string } {
  const at = text.lastIndexOf('@');
  if (at < 1 || at === text.length - 1) throw new CliError(`"${text}" is not NAME@VERSION`, EXIT.usage);
  return { name: text.slice(0, at), version: text.slice(at + 1) };
}
