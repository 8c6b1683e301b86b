import { confirm } from '@clack/prompts';

/** Asks before something is lost. Scripts, which have no terminal, mean what they say and are not asked. */
export async function isConfirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return true;
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr });
  return answer === true;
}
