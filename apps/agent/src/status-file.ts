import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { LogEvent } from './agent-log.js';
import type { DataDirectory } from './data-directory.js';

const NAME = 'status.json';
/** Changes are written at once, but no more often than this. */
const WRITE_EVERY_MS = 500;

const phase = z.enum(['starting', 'working', 'waiting', 'paused', 'stopping', 'stopped']);
export type Phase = z.infer<typeof phase>;

const runningTask = z.object({
  taskId: z.string(),
  jobName: z.string(),
  app: z.string(),
  startedAt: z.iso.datetime(),
  permille: z.number().nullable(),
});

/** What of the machine may be used now, and why; see `IdleDecision`. */
const allowance = z.object({ cores: z.number().int(), dutyCycle: z.number(), reason: z.string() });

/** What is exchanged with other volunteers. */
const swarm = z.object({
  state: z.enum(['off', 'starting', 'on', 'waiting']),
  reason: z.string(),
  peers: z.number().int(),
  fromPeersBytes: z.number(),
  fromOriginBytes: z.number(),
  toPeersBytes: z.number(),
  monthBytes: z.number(),
});

/** Bytes of inputs: from other volunteers, from the coordinator, to other volunteers. */
const traffic = z.object({
  fromPeersBytes: z.number(),
  fromOriginBytes: z.number(),
  toPeersBytes: z.number(),
});

const counts = {
  buffered: z.number().int(),
  unreported: z.number().int(),
  finishedTasks: z.number().int(),
  cycles: z.string(),
};

/** What the agent does for one coordinator. */
const projectStatus = z.object({
  coordinator: z.string(),
  name: z.string(),
  hostId: z.string(),
  weight: z.number(),
  phase,
  reason: z.string(),
  running: z.array(runningTask),
  allowance,
  swarm: swarm.nullable(),
  traffic,
  /** What the volunteer has to mend although the work goes on, a sentence each. */
  warnings: z.array(z.string()).default([]),
  ...counts,
});
export type ProjectStatus = z.infer<typeof projectStatus>;

/** What the running agent says about itself, and what the last one said before it ended; of all projects together. */
export const agentStatus = z.object({
  pid: z.number().int(),
  updatedAt: z.iso.datetime(),
  phase,
  reason: z.string(),
  running: z.array(runningTask),
  /** It asks for no more work and ends when everything it holds is done. */
  isFinishing: z.boolean(),
  allowance,
  /** Of all projects; its state and reason are those of the first that takes part, or of the first. */
  swarm: swarm.nullable(),
  traffic,
  /** Of all projects; with a project's name where there are several. */
  warnings: z.array(z.string()).default([]),
  ...counts,
  projects: z.array(projectStatus),
  /** When the attachments were written that these projects are those of; null where there were none, or before it is known. */
  attachmentsAtMs: z.number().nullable().default(null),
  /** When the volunteer said, at this machine, what it follows; null where nobody has, or before it has looked. */
  wishedAtMs: z.number().nullable().default(null),
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
  #isDirty = false;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  /** Why the last one could not be written, so that it is not told every time. */
  #trouble: string | null = null;

  constructor(
    private readonly directory: DataDirectory,
    private readonly collect: () => AgentStatus,
    private readonly log: LogEvent,
  ) {}

  /** Something has changed: it is written now, or soon. */
  changed(): void {
    this.#isDirty = true;
    if (this.#timer) return;
    void this.#write();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isDirty) this.changed();
    }, WRITE_EVERY_MS);
  }

  /** Writes what holds now, and returns when it is on the disk. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#write();
  }

  async #write(): Promise<void> {
    // Projects are told of a change one after the other: what is written is what holds once all have been.
    await Promise.resolve();
    this.#isDirty = false;
    const text = JSON.stringify(this.collect());
    this.#writing = this.#writing.then(() => this.#put(text));
    await this.#writing;
  }

  /** A full disk must not stop the work, but whoever reads an old status is to find out why. */
  async #put(text: string): Promise<void> {
    try {
      await this.directory.writeWhole(NAME, text);
      this.#trouble = null;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      if (code !== this.#trouble) {
        const path = this.directory.file(NAME);
        this.log('status-not-written', { reason: `${path} is out of date: it cannot be written (${code})` });
      }
      this.#trouble = code;
    }
  }
}
