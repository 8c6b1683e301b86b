import { fileURLToPath } from 'node:url';

/** Main module of the coordinator, which runs as a process of its own. */
export function coordinatorMain(): string {
  return mainBeside('@gleaner/coordinator');
}

/** Main module of the agent, which runs as a process of its own. */
export function agentMain(): string {
  return mainBeside('@gleaner/agent');
}

function mainBeside(packageName: string): string {
  return fileURLToPath(new URL('main.js', import.meta.resolve(packageName)));
}
