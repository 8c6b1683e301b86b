import { confirm } from '@clack/prompts';
import { CliError, EXIT } from '../cli-error.js';

/**
 * Asks before something is lost.
 *
 * @throws {CliError} where there is no terminal to ask on: a script has to say that it means it
 */
export async function isConfirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CliError(`${question} There is no terminal to ask on: add --yes if you mean it`, EXIT.usage);
  }
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr });
  return answer === true;
}
