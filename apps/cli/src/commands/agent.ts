import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Command } from 'commander';
import { agentMain } from '../processes/program-paths.js';

/** `gleaner agent …` hands everything over to the agent, which is a program of its own. */
export function registerAgent(program: Command): void {
  program
    // What stands behind `agent` is the agent's.
    .enablePositionalOptions()
    .command('agent')
    .description('volunteer this machine: attach, run, status, pause, prefs, install, top …')
    .argument('[args...]')
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(async (args: string[]) => {
      process.exitCode = await runAgent(args);
    });
}

async function runAgent(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [agentMain(), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal sends Ctrl-C to both; the agent decides, and this process ends when it has.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  await once(child, 'exit');
  return child.exitCode ?? 1;
}
