import type { CoreClaim, SettledDecision } from '@gleaner/domain';
import type { HostWishes } from '@gleaner/protocol';
import { openWorker, type Worker, type WorkerPolicy } from '@gleaner/worker-sdk';
import { logWorker, type LogEvent } from '../agent-log.js';
import type { Attachment } from '../attachments.js';
import { asEnding } from '../commands/as-agent-error.js';
import type { DataDirectory } from '../data-directory.js';
import { parsePreferences, type PreferencesFile } from '../policy/preferences-file.js';
import { SwarmGovernor } from '../swarm/swarm-governor.js';
import { keepTallies } from '../top/tallies.js';
import { claimState } from './own-state.js';
import { readWishes, writeWishes, type KeptWishes } from './wishes-file.js';

export interface ProjectInit {
  readonly attachment: Attachment;
  /** The agent's directory; the project's own part of it is in the attachment. */
  readonly directory: DataDirectory;
  readonly policy: Partial<WorkerPolicy>;
  readonly once: boolean;
  readonly log: LogEvent;
  /** Called after whatever changes the worker's status. */
  readonly onStatus: () => void;
}

/** One coordinator that this machine computes for: a worker with its own directory, token and wishes from afar. */
export class Project {
  /** Resolves when the worker has stopped; with what made it stop, null where it was told to. */
  readonly ended: Promise<Error | null>;
  /** What the governor decided for it last. */
  settled: SettledDecision | null = null;
  /** Cores and debts of the sharing among projects. */
  share: Pick<CoreClaim, 'cores' | 'owedMs'> = { cores: 0, owedMs: 0 };
  #wishes: KeptWishes | null;
  #preferences: PreferencesFile;
  #swarm: SwarmGovernor | null = null;
  #hasEnded = false;
  #ending: Error | null = null;

  private constructor(
    private readonly init: ProjectInit,
    readonly worker: Worker,
    private readonly ownDirectory: DataDirectory,
  ) {
    this.#wishes = readWishes(ownDirectory, init.log);
    this.#preferences = this.#understood({});
    this.attachment = init.attachment;
    this.ended = new Promise((resolve) => {
      worker.on('stopped', ({ error }) => {
        this.#hasEnded = true;
        this.#ending = error && asEnding(error, init.attachment.coordinator);
        this.#swarm?.[Symbol.dispose]();
        resolve(this.#ending);
      });
    });
    worker.on('wishes', (wishes) => {
      this.#keep(wishes);
    });
    worker.on('status', init.onStatus);
    logWorker(worker, init.log);
    keepTallies(worker, init.directory);
  }

  /** May change while it runs, such as its weight. */
  attachment: Attachment;

  /** A project that computes nothing before the worker is started. */
  static async open(init: ProjectInit): Promise<Project> {
    const { attachment, directory, log } = init;
    await claimState(directory, attachment, log);
    const ownDirectory = directory.of(attachment);
    await ownDirectory.removeHalfWritten();
    const worker = await openWorker({
      coordinator: attachment.coordinator,
      credentials: { token: attachment.token },
      dataDirectory: ownDirectory.path,
      policy: init.policy,
      ...(init.once && { once: true }),
      log,
    });
    // Until it is decided what it may use.
    worker.allow({
      cores: 0,
      dutyCycle: 1,
      memoryMiB: null,
      reason: 'paused: looking at this machine first',
    });
    const project = new Project(init, worker, ownDirectory);
    project.#swarm = await SwarmGovernor.start({ directory, worker, agreed: attachment.p2p, log });
    return project;
  }

  get id(): string {
    return `${this.attachment.coordinator} ${this.attachment.hostId}`;
  }

  get name(): string {
    return this.attachment.coordinatorName;
  }

  /** What made it stop, and what to do; null while it works, and where it was told to. */
  get ending(): Error | null {
    return this.#ending;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get log(): LogEvent {
    return this.init.log;
  }

  /** What was asked of this machine on the project's website; null: nothing ever was. */
  get wishes(): KeptWishes | null {
    return this.#wishes;
  }

  /** What the website says of how this machine may be used; nothing where this agent cannot understand it. */
  get preferences(): PreferencesFile {
    return this.#preferences;
  }

  #keep(wishes: HostWishes): void {
    // What is known already counts from when it was heard first, also after a restart.
    if (this.#wishes && wishes.version <= this.#wishes.wishes.version) return;
    this.#wishes = { wishes, receivedAtMs: Date.now() };
    this.#preferences = this.#understood(this.#preferences);
    this.init.log('wishes-received', { run: wishes.run, version: wishes.version });
    // On a full disk they hold until the next start; the coordinator says them again then.
    writeWishes(this.ownDirectory, this.#wishes).catch(() => undefined);
  }

  /** What cannot be understood changes nothing: less may have been allowed before. */
  #understood(before: PreferencesFile): PreferencesFile {
    try {
      return parsePreferences(JSON.stringify(this.#wishes?.wishes.preferences ?? {}), 'the website');
    } catch (error) {
      this.init.log('preferences-refused', {
        reason: error instanceof Error ? error.message : String(error),
      });
      return before;
    }
  }
}
