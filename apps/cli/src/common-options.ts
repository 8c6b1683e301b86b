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

/** Where and as whom a command speaks: options before environment before defaults. */
export function apiOf(options: CommonOptions): ApiClient {
  const url = options.url ?? fromEnvironment('GLEANER_URL') ?? DEFAULT_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new CliError(`"${url}" is not the address of a coordinator (http:// or https://)`, EXIT.usage);
  }
  return new ApiClient({ url, token: options.token ?? fromEnvironment('GLEANER_TOKEN') });
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

/** Parser of `NAME@VERSION`. */
export function splitAppVersion(text: string): { name: string; version: string } {
  const at = text.lastIndexOf('@');
  if (at < 1 || at === text.length - 1) throw new CliError(`"${text}" is not NAME@VERSION`, EXIT.usage);
  return { name: text.slice(0, at), version: text.slice(at + 1) };
}
