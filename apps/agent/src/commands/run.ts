import { createWorker, type Worker } from '@gleaner/worker-sdk';
import { createFileLog, createLog, logWorker, type LogEvent } from '../agent-log.js';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { trustSystemAuthorities } from '../network-settings.js';
import { IdleGovernor } from '../policy/idle-governor.js';
import { SwarmGovernor } from '../swarm/swarm-governor.js';
import { keepTallies } from '../top/tallies.js';
import { StatusWriter } from '../status-file.js';
import { asAgentError } from './attach.js';

export interface RunCommand {
  readonly directory: DataDirectory;
  readonly cores: number | undefined;
  readonly memoryMiB: number | undefined;
  readonly bufferMs: number | undefined;
  readonly snapshotEveryMs: number | undefined;
  readonly once: boolean;
  /** Compute whatever the machine is used for. */
  readonly always: boolean;
  readonly json: boolean;
  /** Log into this file, which rotates, instead of to the terminal. */
  readonly logFile: string | undefined;
}

/** Computes until it is told to stop; with `once`, until the work of one request is done. */
export async function run(command: RunCommand): Promise<void> {
  const { directory } = command;
  const attachment = await directory.readAttachment();
  if (!attachment) {
    throw new AgentError(
      `${directory.path} is not attached to a coordinator: "gleaner agent attach URL" first`,
      EXIT.notAttached,
    );
  }
  trustSystemAuthorities(new URL(attachment.coordinator));
  await directory.create();
  using resources = new DisposableStack();
  resources.use(DirectoryLock.acquire(directory.file('agent.lock'), directory.path));
  const log =
    command.logFile === undefined
      ? createLog(command.json ? 'json' : 'text')
      : createFileLog(command.logFile);
  const worker = await createWorker({
    coordinator: attachment.coordinator,
    credentials: { token: attachment.token },
    dataDirectory: directory.path,
    policy: {
      ...(command.cores !== undefined && { cores: command.cores }),
      ...(command.memoryMiB !== undefined && { memoryMiB: command.memoryMiB }),
      ...(command.bufferMs !== undefined && { bufferMs: command.bufferMs }),
      ...(command.snapshotEveryMs !== undefined && { snapshotEveryMs: command.snapshotEveryMs }),
    },
    ...(command.once && { once: true }),
    log,
  });
  const status = new StatusWriter(directory);
  worker.on('status', (event) => {
    status.tell(event);
  });
  logWorker(worker, log);
  keepTallies(worker, directory);
  log('started', { coordinator: attachment.coordinator, hostId: attachment.hostId, pid: process.pid });
  const ended = new Promise<Error | null>((resolve) => {
    worker.on('stopped', ({ error }) => {
      resolve(error);
    });
  });
  resources.use(await IdleGovernor.start({ directory, worker, isAlways: command.always, log }));
  resources.use(await SwarmGovernor.start({ directory, worker, agreed: attachment.p2p, log }));
  stopWhenTold(worker, log);
  await worker.start();
  const error = await ended;
  await status.flush();
  log('stopped', error ? { reason: error.message } : {});
  if (error) throw asAgentError(error);
}

/** The first signal, or the end of the parent that started us with an IPC channel, stops in order; a second one at once. */
function stopWhenTold(worker: Worker, log: LogEvent): void {
  let isStopping = false;
  const stop = (cause: string): void => {
    if (isStopping) process.exit(EXIT.failure);
    isStopping = true;
    log('stopping', { cause });
    void worker.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop(signal);
    });
  }
  process.on('disconnect', () => {
    if (!isStopping) stop('the parent process ended');
  });
  // Listening for its end must not keep a process alive that has nothing else to do.
  process.channel?.unref();
}
