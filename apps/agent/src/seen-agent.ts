import type { DataDirectory } from './data-directory.js';
import { DirectoryLock } from './directory-lock.js';
import { isAlive } from './is-alive.js';
import { readStatus, type AgentStatus } from './status-file.js';

export const NOT_RUNNING = 'not running: start the agent with "gleaner agent run"';

/** What can be seen of an agent from outside. */
export interface SeenAgent {
  readonly isRunning: boolean;
  /** What the running agent says; undefined where none runs, or it has said nothing yet. */
  readonly now: AgentStatus | undefined;
  /** What was said last, by this agent or one that has ended, however it ended. */
  readonly last: AgentStatus | undefined;
}

export async function seeAgent(directory: DataDirectory): Promise<SeenAgent> {
  const last = await readStatus(directory);
  const isRunning = DirectoryLock.isHeld(directory);
  // An agent that was killed leaves a status that its successor takes a moment to replace.
  const isItsOwn = isRunning && last !== undefined && last.phase !== 'stopped' && isAlive(last.pid);
  return { isRunning, now: isItsOwn ? last : undefined, last };
}
