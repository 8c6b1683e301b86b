import { readAttachments, type Attachment } from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { NOT_RUNNING, seeAgent, type SeenAgent } from '../seen-agent.js';
import type { AgentStatus, ProjectStatus } from '../status-file.js';
import { swarmLine } from '../swarm/swarm-line.js';
import { show } from '../terminal.js';

const NOBODY: SeenAgent = { isRunning: false, now: undefined, last: undefined };

export interface StatusCommand {
  readonly directory: DataDirectory;
  /** Fail unless an agent runs that is attached, for whoever watches over it. */
  readonly isCheck: boolean;
  readonly json: boolean;
}

/** Tells what the agent does, or why it does nothing. That nothing runs is a failure only where it is to be checked. */
export async function status(command: StatusCommand): Promise<void> {
  const { directory } = command;
  const attachments = await readAttachments(directory);
  const [first] = attachments;
  const seen = first ? await seeAgent(directory) : NOBODY;
  const { isRunning, now } = seen;
  const reason = reasonOf(first !== undefined, seen);
  const exitCode = !first ? EXIT.notAttached : isRunning ? EXIT.ok : EXIT.failure;
  const trouble = command.isCheck && exitCode !== EXIT.ok ? new AgentError(reason, exitCode) : null;
  // One sentence says it.
  if (trouble && !command.json) throw trouble;
  if (command.json) {
    const answer = {
      attached: first !== undefined,
      coordinator: first?.coordinator ?? null,
      hostId: first?.hostId ?? null,
      accountId: first?.accountId ?? null,
      anonymous: first?.anonymous ?? null,
      agentRunning: isRunning,
      ...seen.last,
      phase: isRunning ? (now?.phase ?? 'starting') : 'stopped',
      reason,
      ...(!now && { running: [], warnings: [] }),
      projects: attachments.map((one) => projectJson(one, now)),
    };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    if (trouble) throw trouble;
    return;
  }
  const lines = [
    reason,
    ...attachments.flatMap((one) => projectLines(one, attachments, now)),
    ...(now ? describe(now) : []),
  ];
  show(lines.join('\n'));
}

function projectJson(attachment: Attachment, said: AgentStatus | undefined) {
  const { coordinator, coordinatorName: name, hostId, accountId, anonymous, weight } = attachment;
  return { coordinator, name, hostId, accountId, anonymous, weight, ...statusOf(attachment, said) };
}

function projectLines(
  attachment: Attachment,
  all: readonly Attachment[],
  said: AgentStatus | undefined,
): string[] {
  const { hostId, coordinatorName, coordinator, weight } = attachment;
  const host = `host ${hostId} at ${coordinatorName} (${coordinator})`;
  if (all.length === 1) return [host];
  const share = Math.round((100 * weight) / all.reduce((sum, one) => sum + one.weight, 0));
  const now = statusOf(attachment, said);
  return [`${host}, ${share} % of the cores (weight ${weight})`, ...(now ? [`  ${now.reason}`] : [])];
}

function statusOf({ coordinator }: Attachment, said: AgentStatus | undefined): ProjectStatus | undefined {
  return said?.projects.find((project) => project.coordinator === coordinator);
}

function reasonOf(isAttached: boolean, { isRunning, now, last }: SeenAgent): string {
  if (!isAttached) return 'not attached: join a project with "gleaner agent attach URL"';
  if (isRunning) return now?.reason ?? 'starting';
  const end =
    last?.phase === 'stopped' && last.reason !== 'stopped' ? ` (it ended with: ${last.reason})` : '';
  return `${NOT_RUNNING}${end}`;
}

function describe(said: AgentStatus): string[] {
  const tasks = said.running.map(({ taskId, app, jobName, permille }) => {
    const progress = permille === null ? '' : `, ${(permille / 10).toFixed(0)} %`;
    return `  task ${taskId}: ${app}, ${jobName}${progress}`;
  });
  const waiting = `${said.buffered} waiting, ${said.unreported} to report, ${said.finishedTasks} finished since it started`;
  const warnings = said.warnings.map((warning) => `warning: ${warning}`);
  return [...warnings, ...tasks, waiting, ...(said.swarm ? [swarmLine(said.swarm)] : [])];
}
