import { statSync } from 'node:fs';
import {
  decideIdle,
  localClock,
  settleDecision,
  type ControlWish,
  type IdleDecision,
  type IdlePreferences,
  type IdleSignals,
  type LocalClock,
} from '@gleaner/domain';
import type { ComputeAllowance } from '@gleaner/worker-sdk';
import type { LogEvent } from '../agent-log.js';
import { ControlFile, type Control } from '../control/control-file.js';
import type { DataDirectory } from '../data-directory.js';
import { MachineProbes } from '../probes/machine-probes.js';
import type { Project } from '../projects/project.js';
import type { ProjectCrew } from '../projects/project-crew.js';
import { CoreShares } from './core-shares.js';
import {
  parsePreferences,
  PREFERENCES_NAME,
  readPreferencesText,
  type PreferencesFile,
} from './preferences-file.js';
import { preferencesInForce, wishInForce } from './wish-in-force.js';

const EVERY_MS = 1_000;
/** A reason whose figures alone have changed is told again no sooner than this: telling costs a write to the disk. */
const RETELL_MS = 30_000;
/** In a pause that the volunteer asked for, what others do with the machine decides nothing. */
const LOOK_AT_REST_MS = 5_000;
const MEMORY_STEP_MIB = 256;
/** Stands for the time of a file that is not there. */
const ABSENT_MS = -1;

export interface IdleGovernorInit {
  readonly directory: DataDirectory;
  readonly crew: ProjectCrew;
  /** Compute whatever the machine is used for, as long as this agent runs. */
  readonly isAlways: boolean;
  /** Cores to use at most. */
  readonly maxCores: number;
  /** How long a project keeps a core that another one waits for, in milliseconds. */
  readonly turnMs: number;
  /** What the volunteer said then is what the projects follow from now on. */
  readonly onWish: (wishedAtMs: number | null) => void;
  readonly log: LogEvent;
}

/** Looks at machine, preferences, control file and attachments every second, and lets the projects compute accordingly. */
export class IdleGovernor implements Disposable {
  readonly #control: ControlFile;
  readonly #shares: CoreShares;
  /** When it was asked to finish before this agent started; undefined until that is known. */
  #finishAskedBeforeMs: number | null | undefined;
  #told = new WeakMap<Project, { readonly allowance: ComputeAllowance; readonly atMs: number }>();
  readonly #logged = new WeakMap<Project, IdleDecision>();
  #preferencesChangedAtMs: number | null = null;
  /** Why the preferences are unknown; null where they are not. */
  #unclear: string | null = null;
  /** What went wrong and was told, so that it is not told every second. */
  readonly #troubles = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #preferences: PreferencesFile = {};
  #seen: { readonly signals: IdleSignals; readonly atMs: number } | null = null;
  #isFinishing = false;
  /** When the volunteer said what holds; undefined before the first look. */
  #wishedAtMs: number | null | undefined;
  #isDisposed = false;

  private constructor(
    private readonly init: IdleGovernorInit,
    private readonly probes: MachineProbes,
  ) {
    this.#control = new ControlFile(init.directory);
    this.#shares = new CoreShares(init.directory, init.turnMs, init.log);
  }

  /** Takes the first decision before it resolves; nothing computes without one. */
  static async start(init: IdleGovernorInit): Promise<IdleGovernor> {
    const governor = new IdleGovernor(init, await MachineProbes.open(init.directory.path));
    await governor.#readPreferences();
    await governor.#tick();
    return governor;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    this.probes[Symbol.dispose]();
  }

  /** Never rejects, and comes again after whatever went wrong: what was decided last holds until then. */
  async #tick(): Promise<void> {
    try {
      await this.#look();
      this.#noteTrouble('governor-trouble', null);
    } catch (error) {
      this.#noteTrouble('governor-trouble', textOf(error));
    }
    if (this.#isDisposed) return;
    this.#timer = setTimeout(() => void this.#tick(), EVERY_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    // Projects take their time to leave and to join: the others are not to wait for it with a pause.
    this.init.crew.follow().catch((error: unknown) => {
      this.#noteTrouble('attachments-refused', textOf(error));
    });
    if (this.#changedAtMs() !== this.#preferencesChangedAtMs) await this.#readPreferences();
    // What was asked for meanwhile may have ended everything.
    if (this.#isDisposed) return;
    const control = this.#control.read();
    this.#noteTrouble('control-refused', this.#control.trouble);
    this.#finishWhenAsked(control);
    this.#decide(control);
  }

  /** Whatever differs from what the last agent was told is for this one: a clock that was set in between says nothing. */
  #finishWhenAsked({ finishAskedAtMs }: Control): void {
    if (this.#finishAskedBeforeMs === undefined && this.#control.trouble === null) {
      this.#finishAskedBeforeMs = finishAskedAtMs;
    }
    const isAsked = finishAskedAtMs !== null && finishAskedAtMs !== this.#finishAskedBeforeMs;
    if (this.#isFinishing || this.#control.trouble !== null || !isAsked) return;
    this.#isFinishing = true;
    this.init.log('finishing', { reason: 'completing what is held, as you asked' });
    this.init.crew.finish();
  }

  #decide(control: Control): void {
    const now = new Date();
    const signals = this.#signals(control.wish, now.getTime());
    const projects = this.init.crew.projects.filter(({ hasEnded }) => !hasEnded);
    const isNewWish = control.wishedAtMs !== this.#wishedAtMs;
    if (isNewWish) this.#forgetWhy(projects);
    const decided = projects.map((project) => this.#decideFor(project, control, signals, localClock(now)));
    const allowances = this.#shares.divide(decided, performance.now());
    projects.forEach((project, index) => {
      const { decision } = decided[index] ?? {};
      const allowance = allowances[index];
      if (decision) this.#logChange(project, decision);
      if (allowance) this.#tell(project, allowance, performance.now());
    });
    if (!isNewWish) return;
    this.#wishedAtMs = control.wishedAtMs;
    this.init.onWish(control.wishedAtMs);
  }

  /** What somebody has just said holds at once, and the reason for what they see is theirs. */
  #forgetWhy(projects: readonly Project[]): void {
    for (const project of projects) project.settled = null;
    this.#told = new WeakMap();
  }

  #signals(control: ControlWish, nowMs: number): IdleSignals {
    const isAtRest = control.kind === 'pause' && (control.untilMs ?? Number.POSITIVE_INFINITY) > nowMs;
    const ageMs = nowMs - (this.#seen?.atMs ?? Number.NEGATIVE_INFINITY);
    if (!this.#seen || !isAtRest || ageMs < 0 || ageMs >= LOOK_AT_REST_MS)
      this.#seen = { signals: this.probes.read(control), atMs: nowMs };
    return { ...this.#seen.signals, control };
  }

  /** Rules that a project's website may have changed for it are decided for each project. */
  #decideFor(project: Project, control: Control, signals: IdleSignals, clock: LocalClock) {
    const { wish, ...afar } = wishInForce(control, project.wishes, this.init.isAlways);
    const isUnclear = this.#unclear !== null && wish.kind !== 'pause';
    const because = `${this.#unclear ?? ''}; mend or remove the file`;
    const inForce = isUnclear ? ({ kind: 'unclear', because } as const) : wish;
    const decision = decideIdle({ ...signals, control: inForce }, this.#preferencesFor(project), clock);
    project.settled = settleDecision(project.settled, decision, clock.epochMs);
    return { project, decision: project.settled.decision, ...afar };
  }

  #preferencesFor(project: Project): IdlePreferences {
    return preferencesInForce(this.#preferences, project.preferences, this.init.maxCores);
  }

  #logChange(project: Project, decision: IdleDecision): void {
    const before = this.#logged.get(project);
    // Memory and reasons' figures change all the time.
    const isSame =
      before?.run === decision.run &&
      before.code === decision.code &&
      before.cores === decision.cores &&
      before.duty === decision.duty;
    if (isSame) return;
    this.#logged.set(project, decision);
    const event = decision.run ? 'computing-allowed' : 'computing-paused';
    project.log(event, { reason: decision.reason, cores: decision.cores, dutyCycle: decision.duty });
  }

  #tell(project: Project, allowance: ComputeAllowance, nowMs: number): void {
    const told = this.#told.get(project);
    const isSame = told !== undefined && isSameAllowance(told.allowance, allowance);
    if (isSame && (told.allowance.reason === allowance.reason || nowMs - told.atMs < RETELL_MS)) return;
    this.#told.set(project, { allowance, atMs: nowMs });
    project.worker.allow(allowance);
  }

  /**
   * A file that is wrong changes nothing but the log: the agent goes on with what it understood last. Where it never
   * understood any, it computes nothing, since hours or limits may stand in it.
   */
  async #readPreferences(): Promise<void> {
    const isFirst = this.#preferencesChangedAtMs === null;
    this.#preferencesChangedAtMs = this.#changedAtMs();
    try {
      this.#preferences = await readPreferences(this.init.directory);
      this.#unclear = null;
      if (!isFirst) this.init.log('preferences-read');
    } catch (error) {
      const reason = textOf(error);
      if (isFirst || this.#unclear !== null) this.#unclear = reason;
      this.init.log('preferences-refused', { reason });
    }
  }

  #noteTrouble(event: string, trouble: string | null): void {
    if (trouble === null) this.#troubles.delete(event);
    else if (this.#troubles.get(event) !== trouble) {
      this.#troubles.set(event, trouble);
      this.init.log(event, { reason: trouble });
    }
  }

  #changedAtMs(): number {
    const path = this.init.directory.file(PREFERENCES_NAME);
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? ABSENT_MS;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function readPreferences(directory: DataDirectory): Promise<PreferencesFile> {
  const text = await readPreferencesText(directory);
  return parsePreferences(text, directory.file(PREFERENCES_NAME));
}

/** The same but for figures that change all the time. */
function isSameAllowance(a: ComputeAllowance, b: ComputeAllowance): boolean {
  if (a.cores !== b.cores || a.dutyCycle !== b.dutyCycle || a.holdsForCores !== b.holdsForCores) return false;
  if (a.overrulesWishes !== b.overrulesWishes) return false;
  // A pause for another reason is another one.
  if (a.cores === 0 && a.reason !== b.reason) return false;
  if (a.memoryMiB === null || b.memoryMiB === null) return a.memoryMiB === b.memoryMiB;
  return Math.abs(a.memoryMiB - b.memoryMiB) < MEMORY_STEP_MIB;
}
