import type { WorkerPolicy } from '@gleaner/worker-sdk';
import type { LogEvent } from '../agent-log.js';
import { attachmentsChangedAtMs, readAttachments, type Attachment } from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { Project } from './project.js';

export interface ProjectCrewInit {
  readonly directory: DataDirectory;
  /** What one worker would get of the machine if it were alone. */
  readonly policy: WorkerPolicy;
  readonly once: boolean;
  readonly log: LogEvent;
  readonly onStatus: () => void;
}

/** All projects of this machine; follows the file of attachments, so that they come and go while the agent runs. */
export class ProjectCrew {
  readonly #projects = new Map<string, Project>();
  readonly #ended = Promise.withResolvers<Error | null>();
  #changedAtMs: number | null = null;
  #adoptedAtMs: number | null = null;
  #isStarted = false;
  #isFinishing = false;
  /** While projects come and go: until then those that are there are not all. */
  #following: Promise<void> | null = null;

  private constructor(private readonly init: ProjectCrewInit) {}

  /** All projects that the file names, none of them started. */
  static async open(init: ProjectCrewInit): Promise<ProjectCrew> {
    const crew = new ProjectCrew(init);
    crew.#changedAtMs = attachmentsChangedAtMs(init.directory);
    const attachments = await readAttachments(init.directory);
    for (const attachment of attachments) await crew.#add(attachment, attachments.length);
    crew.#adoptedAtMs = crew.#changedAtMs;
    // Someone may have detached the last one just now.
    crew.#settle();
    return crew;
  }

  get projects(): readonly Project[] {
    return [...this.#projects.values()];
  }

  /** Which state of the file its projects are those of: when that was written, null for that of no file. */
  get adoptedAtMs(): number | null {
    return this.#adoptedAtMs;
  }

  /** Resolves when the last project has ended; with an error where no project ended as it was told to. */
  get ended(): Promise<Error | null> {
    return this.#ended.promise;
  }

  /** Lets all of them work, and those that come later. Where one cannot, none does. */
  async start(): Promise<void> {
    this.#isStarted = true;
    try {
      for (const project of this.projects) await project.worker.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Asks for no more work anywhere; each ends when everything it holds is done. */
  finish(): void {
    this.#isFinishing = true;
    for (const { worker } of this.projects) worker.finish();
  }

  /** Stops all of them, and one that is just coming; {@link ended} resolves. */
  async stop(): Promise<void> {
    this.#isFinishing = true;
    const stopAll = () => Promise.all(this.projects.map(({ worker }) => worker.stop()));
    await Promise.all([this.#following, stopAll()]);
    // One may have come meanwhile.
    await stopAll();
  }

  /** Takes notice of projects that were attached, detached or given another weight. */
  async follow(): Promise<void> {
    const changedAtMs = attachmentsChangedAtMs(this.init.directory);
    if (changedAtMs === this.#changedAtMs || this.#following) return;
    this.#changedAtMs = changedAtMs;
    this.#following = this.#readAgain(changedAtMs);
    await this.#following;
  }

  async #readAgain(changedAtMs: number | null): Promise<void> {
    try {
      await this.#adopt(await readAttachments(this.init.directory));
      this.#adoptedAtMs = changedAtMs;
      this.init.onStatus();
    } catch (error) {
      // It goes on with what it knows; the next change is looked at again.
      this.init.log('attachments-refused', {
        reason: error instanceof Error ? error.message : String(error),
      });
    } finally {
      this.#following = null;
      this.#settle();
    }
  }

  async #adopt(attachments: readonly Attachment[]): Promise<void> {
    const named = new Set(attachments.map(keyOf));
    for (const [key, project] of this.#projects) {
      if (named.has(key)) continue;
      await project.worker.stop();
      this.#projects.delete(key);
      this.init.log('project-left', { coordinator: project.attachment.coordinator });
      this.init.onStatus();
    }
    for (const attachment of attachments) {
      const known = this.#projects.get(keyOf(attachment));
      if (known) known.attachment = attachment;
      else if (!this.#isFinishing) await this.#add(attachment, attachments.length);
    }
  }

  async #add(attachment: Attachment, count: number): Promise<void> {
    const { coordinator, hostId, coordinatorName } = attachment;
    const project = await Project.open({
      attachment,
      directory: this.init.directory,
      // The disk is shared as well; who comes later gets a part, who was there keeps what it has until the next start.
      policy: { ...this.init.policy, cacheBytes: Math.floor(this.init.policy.cacheBytes / count) },
      once: this.init.once,
      log: (event, fields) => {
        this.init.log(event, this.#projects.size > 1 ? { project: coordinatorName, ...fields } : fields);
      },
      onStatus: this.init.onStatus,
    });
    this.#projects.set(keyOf(attachment), project);
    // It was asked for while this one was being opened.
    if (this.#isFinishing) project.worker.finish();
    void project.ended.then((error) => {
      const reason = error?.message;
      if (reason !== undefined && this.#projects.size > 1) project.log('project-stopped', { reason });
      this.#settle();
    });
    this.init.log('started', { coordinator, hostId, pid: process.pid });
    if (this.#isStarted) await project.worker.start();
  }

  #settle(): void {
    // The last one may be leaving to make room for another.
    if (this.#following || this.projects.some(({ hasEnded }) => !hasEnded)) return;
    void Promise.all(this.projects.map(({ ended }) => ended)).then((errors) => {
      this.#ended.resolve(errors.includes(null) ? null : (errors[0] ?? null));
    });
  }
}

function keyOf({ coordinator, hostId }: Attachment): string {
  return `${coordinator} ${hostId}`;
}
