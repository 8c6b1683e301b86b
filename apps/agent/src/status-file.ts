import { readFile } from 'node:fs/promises';
import type { WorkerStatus } from '@gleaner/worker-sdk';
import { z } from 'zod';
import type { DataDirectory } from './data-directory.js';

const NAME = 'status.json';
/** Changes are written at once, but no more often than this. */
const WRITE_EVERY_MS = 500;

/** What the running agent says about itself, and what the last one said before it ended. */
export const agentStatus = z.object({
  pid: z.number().int(),
  updatedAt: z.iso.datetime(),
  phase: z.enum(['starting', 'working', 'waiting', 'paused', 'stopping', 'stopped']),
  reason: z.string(),
  running: z.array(
    z.object({
      taskId: z.string(),
      jobName: z.string(),
      app: z.string(),
      startedAt: z.iso.datetime(),
      permille: z.number().nullable(),
    }),
  ),
  /** It asks for no more work and ends when everything it holds is done. */
  isFinishing: z.boolean(),
  /** What of the machine it may use now, and why; see `IdleDecision`. */
  allowance: z.object({ cores: z.number().int(), dutyCycle: z.number(), reason: z.string() }),
  /** What is exchanged with other volunteers. */
  swarm: z
    .object({
      state: z.enum(['off', 'starting', 'on', 'waiting']),
      reason: z.string(),
      peers: z.number().int(),
      fromPeersBytes: z.number(),
      fromOriginBytes: z.number(),
      toPeersBytes: z.number(),
      monthBytes: z.number(),
    })
    .nullable(),
  buffered: z.number().int(),
  unreported: z.number().int(),
  finishedTasks: z.number().int(),
  cycles: z.string(),
});
export type AgentStatus = z.infer<typeof agentStatus>;

export async function readStatus(directory: DataDirectory): Promise<AgentStatus | undefined> {
  try {
    return agentStatus.parse(JSON.parse(await readFile(directory.file(NAME), 'utf8')));
  } catch {
    // Absent or of another version: the agent has simply said nothing yet.
    return undefined;
  }
}

/** Keeps the status file up to date without writing it at every event. */
export class StatusWriter {
  #latest: WorkerStatus | undefined;
  #written: WorkerStatus | undefined;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly directory: DataDirectory) {}

  tell(status: WorkerStatus): void {
    this.#latest = status;
    if (this.#timer) return;
    void this.#write();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#latest !== this.#written) this.tell(this.#latest ?? status);
    }, WRITE_EVERY_MS);
  }

  /** Writes what was told last, and returns when it is on the disk. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#write();
  }

  async #write(): Promise<void> {
    const status = this.#latest;
    if (!status) return;
    this.#written = status;
    const text = JSON.stringify(fileOf(status));
    // A full disk must not stop the work: the status is a service to the reader.
    this.#writing = this.#writing.then(() => this.directory.writeWhole(NAME, text)).catch(() => undefined);
    await this.#writing;
  }
}

function fileOf(status: WorkerStatus): AgentStatus {
  return {
    pid: process.pid,
    updatedAt: new Date().toISOString(),
    ...status,
    running: status.running.map((task) => ({ ...task, startedAt: task.startedAt.toISOString() })),
    cycles: status.cycles.toString(),
  };
}
