import { setTimeout as delay } from 'node:timers/promises';
import type { ControlWish } from '@gleaner/domain';
import { requireAttachments } from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { readStatus, type AgentStatus } from '../status-file.js';
import { show } from '../terminal.js';
import { ControlFile, type Control } from './control-file.js';

interface ControlCommand {
  readonly directory: DataDirectory;
  readonly json: boolean;
}

/** The agent looks every second; longer than this and it is hung. */
const ANSWER_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 100;

/** Pauses, for so many milliseconds or until `resume`. Holds across restarts. */
export async function pause(command: ControlCommand & { forMs: number | undefined }): Promise<void> {
  const untilMs = command.forMs === undefined ? null : Date.now() + command.forMs;
  await wish(command, { kind: 'pause', untilMs });
}

/** Back to the preferences; with `always`, computes whatever the machine is used for. */
export async function resume(
  command: ControlCommand & { always: boolean; forMs: number | undefined },
): Promise<void> {
  if (command.forMs !== undefined && !command.always) {
    throw new AgentError('--for says how long --always holds: give both, or neither', EXIT.usage);
  }
  const untilMs = command.forMs === undefined ? null : Date.now() + command.forMs;
  await wish(command, command.always ? { kind: 'always', untilMs } : { kind: 'auto' });
}

async function wish(command: ControlCommand, wanted: ControlWish): Promise<void> {
  const wishedAtMs = Date.now();
  await tell(command, { wish: wanted, wishedAtMs }, (status) => status.wishedAtMs === wishedAtMs);
}

/** Lets the running agent complete what it holds, and end. */
export async function finish(command: ControlCommand): Promise<void> {
  await requireAttachments(command.directory);
  if (!DirectoryLock.isHeld(command.directory)) {
    throw new AgentError('the agent does not run: there is nothing to finish', EXIT.failure);
  }
  await tell(command, { finishAskedAtMs: Date.now() }, ({ isFinishing }) => isFinishing);
}

async function tell(
  { directory, json }: ControlCommand,
  change: Partial<Control>,
  isDone: (status: AgentStatus) => boolean,
): Promise<void> {
  await requireAttachments(directory);
  await new ControlFile(directory).write(change);
  const running = DirectoryLock.isHeld(directory);
  const reason = running
    ? ((await nextReason(directory, isDone)) ?? 'the agent has not answered yet: see "gleaner agent status"')
    : 'the agent does not run; it takes notice when it is started';
  show(json ? JSON.stringify({ agentRunning: running, reason }) : reason);
}

/** What the agent says once it has taken notice; an agent that has ended says nothing more. */
async function nextReason(
  directory: DataDirectory,
  isDone: (status: AgentStatus) => boolean,
): Promise<string | undefined> {
  for (let waitedMs = 0; waitedMs < ANSWER_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    const status = await readStatus(directory);
    if (status && isDone(status)) return status.reason;
    await delay(LOOK_EVERY_MS);
  }
  return undefined;
}
