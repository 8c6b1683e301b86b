import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { DataDirectory, defaultDataDirectory } from './data-directory.js';
import { AgentError, EXIT } from './exit-codes.js';

/** What every command of the agent takes. */
export interface CommonOptions {
  readonly data?: string;
  readonly json?: true;
}

export function withCommon(command: Command): Command {
  return command
    .exitOverride()
    .option(
      '--data <dir>',
      'directory of this agent; also GLEANER_AGENT_DATA',
      defaultDataDirectory() ?? undefined,
    )
    .option('--json', 'answer with JSON on stdout');
}

/** @throws AgentError where nobody says which one, and the user has no home */
export function directoryOf({ data }: CommonOptions): DataDirectory {
  if (data) return new DataDirectory(resolve(data));
  const isEmpty = data === '';
  const none =
    "this user has no home directory: say with --data, or in GLEANER_AGENT_DATA, which is the agent's";
  throw new AgentError(isEmpty ? '--data is empty: give a directory, or leave it out' : none, EXIT.usage);
}

/** Reads an option's value within these bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}
