import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { readStatus, type AgentStatus } from '../status-file.js';
import { swarmLine } from '../swarm/swarm-line.js';

/** Tells what the agent does, or why it does nothing. Never fails because nothing runs. */
export async function status(command: { directory: DataDirectory; json: boolean }): Promise<void> {
  const { directory } = command;
  const attachment = await directory.readAttachment();
  const said = attachment && (await readStatus(directory));
  const isRunning = attachment !== undefined && isLocked(directory);
  const reason = reasonOf(attachment !== undefined, isRunning, said);
  if (command.json) {
    const answer = {
      attached: attachment !== undefined,
      coordinator: attachment?.coordinator ?? null,
      hostId: attachment?.hostId ?? null,
      accountId: attachment?.accountId ?? null,
      anonymous: attachment?.anonymous ?? null,
      agentRunning: isRunning,
      ...said,
      phase: isRunning ? (said?.phase ?? 'starting') : 'stopped',
      reason,
      ...(!isRunning && { running: [] }),
    };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    return;
  }
  const lines = [reason];
  if (attachment)
    lines.push(`host ${attachment.hostId} at ${attachment.coordinatorName} (${attachment.coordinator})`);
  if (isRunning && said) lines.push(...describe(said));
  process.stdout.write(`${lines.join('\n')}\n`);
}

function reasonOf(isAttached: boolean, isRunning: boolean, said: AgentStatus | undefined): string {
  if (!isAttached) return 'not attached: join a project with "gleaner agent attach URL"';
  if (isRunning) return said?.reason ?? 'starting';
  const last =
    said && said.phase === 'stopped' && said.reason !== 'stopped' ? ` (it ended with: ${said.reason})` : '';
  return `not running: start the agent with "gleaner agent run"${last}`;
}

function describe(said: AgentStatus): string[] {
  const tasks = said.running.map(({ taskId, app, jobName, permille }) => {
    const progress = permille === null ? '' : `, ${(permille / 10).toFixed(0)} %`;
    return `  task ${taskId}: ${app}, ${jobName}${progress}`;
  });
  const waiting = `${said.buffered} waiting, ${said.unreported} to report, ${said.finishedTasks} finished since it started`;
  return [...tasks, waiting, ...(said.swarm ? [swarmLine(said.swarm)] : [])];
}

function isLocked(directory: DataDirectory): boolean {
  const lock = DirectoryLock.tryAcquire(directory.file('agent.lock'));
  lock?.[Symbol.dispose]();
  return lock === undefined;
}
