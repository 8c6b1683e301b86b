import { statSync } from 'node:fs';
import {
  decideIdle,
  localClock,
  settleDecision,
  type ControlWish,
  type IdleDecision,
  type IdlePreferences,
  type SettledDecision,
} from '@gleaner/domain';
import type { Worker } from '@gleaner/worker-sdk';
import type { LogEvent } from '../agent-log.js';
import { ControlFile } from '../control/control-file.js';
import type { DataDirectory } from '../data-directory.js';
import { MachineProbes } from '../probes/machine-probes.js';
import {
  completePreferences,
  parsePreferences,
  PREFERENCES_NAME,
  readPreferencesText,
} from './preferences-file.js';

const EVERY_MS = 1_000;
/** A reason whose figures alone have changed is told again no sooner than this: telling costs a write to the disk. */
const RETELL_MS = 30_000;
const MEMORY_STEP_MIB = 256;

export interface IdleGovernorInit {
  readonly directory: DataDirectory;
  readonly worker: Worker;
  /** Compute whatever the machine is used for, as long as this agent runs. */
  readonly isAlways: boolean;
  readonly log: LogEvent;
}

/** Looks at machine, preferences and control file every second, and lets the worker compute accordingly. */
export class IdleGovernor implements Disposable {
  readonly #control: ControlFile;
  readonly #startedAtMs = Date.now();
  #settled: SettledDecision | null = null;
  #told: { readonly decision: IdleDecision; readonly atMs: number } | null = null;
  #preferencesChangedAtMs: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isFinishing = false;

  private constructor(
    private readonly init: IdleGovernorInit,
    private readonly probes: MachineProbes,
    private preferences: IdlePreferences,
  ) {
    this.#control = new ControlFile(init.directory);
    this.#preferencesChangedAtMs = this.#changedAtMs();
  }

  /**
   * Takes the first decision before it resolves, so that nothing computes without one.
   *
   * @throws {AgentError} when the preferences cannot be understood
   */
  static async start(init: IdleGovernorInit): Promise<IdleGovernor> {
    const preferences = await readPreferences(init.directory);
    const governor = new IdleGovernor(init, await MachineProbes.open(init.directory.path), preferences);
    await governor.#tick();
    return governor;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.probes[Symbol.dispose]();
  }

  async #tick(): Promise<void> {
    await this.#rereadPreferences();
    const { wish, finishAskedAtMs } = this.#control.read();
    if (!this.#isFinishing && (finishAskedAtMs ?? 0) >= this.#startedAtMs) {
      this.#isFinishing = true;
      this.init.log('finishing', { reason: 'completing what is held, as you asked' });
      this.init.worker.finish();
    }
    this.#decide(this.#wishNow(wish));
    this.#timer = setTimeout(() => void this.#tick(), EVERY_MS);
    this.#timer.unref();
  }

  #wishNow(wish: ControlWish): ControlWish {
    return this.init.isAlways && wish.kind === 'auto' ? { kind: 'always', untilMs: null } : wish;
  }

  #decide(wish: ControlWish): void {
    const now = new Date();
    const decision = decideIdle(this.probes.read(wish), this.preferences, localClock(now));
    this.#settled = settleDecision(this.#settled, decision, now.getTime());
    this.#tell(this.#settled.decision, now.getTime());
  }

  #tell(decision: IdleDecision, nowMs: number): void {
    const told = this.#told;
    const isSame = told !== null && isSameAllowance(told.decision, decision);
    if (isSame && (told.decision.reason === decision.reason || nowMs - told.atMs < RETELL_MS)) return;
    this.#told = { decision, atMs: nowMs };
    if (!isSame) {
      const event = decision.run ? 'computing-allowed' : 'computing-paused';
      this.init.log(event, { reason: decision.reason, cores: decision.cores, dutyCycle: decision.duty });
    }
    const { cores, duty: dutyCycle, memoryMiB, reason } = decision;
    this.init.worker.allow({ cores, dutyCycle: dutyCycle === 0 ? 1 : dutyCycle, memoryMiB, reason });
  }

  /** A file that is wrong changes nothing but the log: the agent goes on with what it understood last. */
  async #rereadPreferences(): Promise<void> {
    const changedAtMs = this.#changedAtMs();
    if (changedAtMs === this.#preferencesChangedAtMs) return;
    this.#preferencesChangedAtMs = changedAtMs;
    try {
      this.preferences = await readPreferences(this.init.directory);
      this.init.log('preferences-read');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.init.log('preferences-refused', { reason });
    }
  }

  #changedAtMs(): number | null {
    const path = this.init.directory.file(PREFERENCES_NAME);
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
  }
}

async function readPreferences(directory: DataDirectory): Promise<IdlePreferences> {
  const text = await readPreferencesText(directory);
  return completePreferences(parsePreferences(text, directory.file(PREFERENCES_NAME)));
}

/** The same but for figures that change all the time. */
function isSameAllowance(a: IdleDecision, b: IdleDecision): boolean {
  if (a.run !== b.run || a.code !== b.code || a.cores !== b.cores || a.duty !== b.duty) return false;
  if (a.memoryMiB === null || b.memoryMiB === null) return a.memoryMiB === b.memoryMiB;
  return Math.abs(a.memoryMiB - b.memoryMiB) < MEMORY_STEP_MIB;
}
