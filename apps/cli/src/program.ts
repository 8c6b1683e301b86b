import { tellLostStdout } from '@gleaner/worker-sdk/lost-stdout';
import { Command, CommanderError } from 'commander';
import { CliError, EXIT, isSystemError } from './cli-error.js';
import { registerAgent } from './commands/agent.js';
import { registerAccounts } from './commands/accounts.js';
import { registerApp } from './commands/app.js';
import { registerBlob } from './commands/blob.js';
import { registerDemo } from './commands/demo.js';
import { registerImport } from './commands/import.js';
import { registerJob } from './commands/job.js';
import { registerRun } from './commands/run.js';
import { registerUp } from './commands/up.js';
import { registerSandboxCommands } from './sandbox-run.js';
import { LostStdoutError, note } from './terminal/output.js';
import { VERSION } from './version.js';

/** Runs one command and sets the process's exit code. */
export async function runCli(args: readonly string[]): Promise<void> {
  tellLostStdout(process, 'gleaner');
  try {
    await createProgram().parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

export function createProgram(): Command {
  const program = new Command('gleaner')
    .description('Volunteer computing: scientists submit jobs, idle machines compute them')
    .version(VERSION)
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  registerUp(program);
  registerDemo(program);
  registerApp(program);
  registerBlob(program);
  registerJob(program);
  registerRun(program);
  registerAgent(program);
  registerImport(program);
  registerAccounts(program);
  registerSandboxCommands(program);
  return program;
}

/** Tells on stderr what a command ended with, where that is a failure. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CliError) {
    note(`gleaner: ${error.message}`);
    return error.exitCode;
  }
  // Timers that a signal ends throw an error of their own, which has its name alone in common with the signal's.
  if (error instanceof Error && error.name === 'AbortError') return 130;
  if (error instanceof LostStdoutError) return error.isReadEnough ? EXIT.ok : EXIT.failure;
  if (isSystemError(error)) {
    // Of a pipe that an answer was to go to.
    if (error.code === 'EPIPE' && error.syscall === 'write') return EXIT.ok;
    note(`gleaner: ${error.message}`);
    return EXIT.failure;
  }
  note(`gleaner: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return EXIT.failure;
}
