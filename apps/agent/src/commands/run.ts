import { availableParallelism } from 'node:os';
import { completePolicy } from '@gleaner/worker-sdk';
import { createFileLog, createLog, type LogEvent } from '../agent-log.js';
import { requireAttachments } from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { EXIT } from '../exit-codes.js';
import { IdleGovernor } from '../policy/idle-governor.js';
import { ProjectCrew } from '../projects/project-crew.js';
import { statusOf, summarise } from '../projects/summarise.js';
import { StatusWriter, type AgentStatus } from '../status-file.js';
import { listenForStop } from '../stop-request.js';
import { mendTallies } from '../top/tallies.js';
import { asAgentError } from './as-agent-error.js';

/** Long enough that units are not stopped and continued all the time, short enough that every project gets on each day. */
const DEFAULT_TURN_MS = 10 * 60_000;

export interface RunCommand {
  readonly directory: DataDirectory;
  readonly cores: number | undefined;
  readonly memoryMiB: number | undefined;
  readonly bufferMs: number | undefined;
  readonly snapshotEveryMs: number | undefined;
  readonly keepAfterMs: number | undefined;
  /** How long a project keeps a core that another one waits for. */
  readonly turnMs: number | undefined;
  readonly once: boolean;
  /** Compute whatever the machine is used for. */
  readonly always: boolean;
  readonly json: boolean;
  /** Log into this file, which rotates, instead of to the terminal. */
  readonly logFile: string | undefined;
}

/** Computes until it is told to stop; with `once`, until the work of one request to each coordinator is done. */
export async function run(command: RunCommand): Promise<void> {
  const { directory } = command;
  const stopTold = listenForStop(EXIT.failure);
  await requireAttachments(directory);
  await directory.create();
  using resources = new DisposableStack();
  resources.use(DirectoryLock.acquire(directory));
  await directory.removeHalfWritten();
  const log =
    command.logFile === undefined
      ? createLog(command.json ? 'json' : 'text')
      : createFileLog(command.logFile);
  mendTallies(directory, log);
  const policy = completePolicy({
    ...(command.cores !== undefined && { cores: coresHere(command.cores, log) }),
    ...(command.memoryMiB !== undefined && { memoryMiB: command.memoryMiB }),
    ...(command.bufferMs !== undefined && { bufferMs: command.bufferMs }),
    ...(command.snapshotEveryMs !== undefined && { snapshotEveryMs: command.snapshotEveryMs }),
    ...(command.keepAfterMs !== undefined && { keepAfterMs: command.keepAfterMs }),
  });
  // Workers tell their status while the crew is still being brought together.
  let crew: ProjectCrew | undefined;
  let wishedAtMs: number | null = null;
  const status = new StatusWriter(directory, () => agentStatusOf(crew, wishedAtMs), log);
  const onStatus = (): void => {
    if (crew) status.changed();
  };
  crew = await ProjectCrew.open({ directory, policy, once: command.once, log, onStatus });
  stopWhenTold(crew, stopTold, log);
  const governor = IdleGovernor.start({
    directory,
    crew,
    isAlways: command.always,
    maxCores: policy.cores,
    turnMs: command.turnMs ?? DEFAULT_TURN_MS,
    onWish: (atMs) => {
      wishedAtMs = atMs;
      onStatus();
    },
    log,
  });
  resources.use(await governor);
  await crew.start();
  const error = await crew.ended;
  await status.flush();
  log('stopped', error ? { reason: error.message } : {});
  if (error) throw asAgentError(error);
}

/** A fleet is told one number for all its machines, so more than there are is no mistake, but it is not what is computed with. */
function coresHere(asked: number, log: LogEvent): number {
  const cores = availableParallelism();
  if (asked > cores) log('fewer-cores', { reason: `--cores ${asked}: this machine has ${cores}`, cores });
  return Math.min(asked, cores);
}

function agentStatusOf(crew: ProjectCrew | undefined, wishedAtMs: number | null): AgentStatus {
  const projects = crew?.projects ?? [];
  const isFinishing = projects.length > 0 && projects.every(({ worker }) => worker.status().isFinishing);
  return {
    pid: process.pid,
    updatedAt: new Date().toISOString(),
    attachmentsAtMs: crew?.adoptedAtMs ?? null,
    wishedAtMs,
    ...summarise(projects.map(statusOf), isFinishing),
  };
}

function stopWhenTold(crew: ProjectCrew, told: AbortSignal, log: LogEvent): void {
  const stop = (): void => {
    log('stopping', { cause: told.reason });
    void crew.stop();
  };
  if (told.aborted) stop();
  else told.addEventListener('abort', stop, { once: true });
}
