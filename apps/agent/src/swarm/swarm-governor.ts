import { statSync } from 'node:fs';
import type { Worker } from '@gleaner/worker-sdk';
import type { LogEvent } from '../agent-log.js';
import type { DataDirectory } from '../data-directory.js';
import { parsePreferences, PREFERENCES_NAME, readPreferencesText } from '../policy/preferences-file.js';
import { completeSwarmPreferences } from './swarm-preferences-file.js';

const EVERY_MS = 1000;

export interface SwarmGovernorInit {
  readonly directory: DataDirectory;
  readonly worker: Worker;
  /** What the volunteer answered at attach. */
  readonly agreed: boolean;
  readonly log: LogEvent;
}

/** Lets the worker take part in the swarm as the volunteer's preferences say, and follows their changes. */
export class SwarmGovernor implements Disposable {
  #timer: NodeJS.Timeout | undefined;
  #changedAtMs: number | null | undefined;
  #told = '';

  private constructor(private readonly init: SwarmGovernorInit) {}

  static async start(init: SwarmGovernorInit): Promise<SwarmGovernor> {
    const governor = new SwarmGovernor(init);
    await governor.#tick();
    governor.#timer = setInterval(() => void governor.#tick(), EVERY_MS);
    governor.#timer.unref();
    return governor;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #tick(): Promise<void> {
    try {
      const changedAtMs = this.#fileChangedAtMs();
      if (changedAtMs === this.#changedAtMs) return;
      this.#changedAtMs = changedAtMs;
      await this.#follow();
    } catch {
      // A file that is wrong changes nothing, and at first the exchange is off; whoever follows the rest of it has logged why.
    }
  }

  async #follow(): Promise<void> {
    const { directory, worker, agreed } = this.init;
    const file = parsePreferences(await readPreferencesText(directory), directory.file(PREFERENCES_NAME));
    const preferences = (file.p2p ?? agreed) ? completeSwarmPreferences(file) : null;
    const text = JSON.stringify(preferences);
    if (text === this.#told) return;
    this.#told = text;
    worker.setSwarm(preferences);
  }

  #fileChangedAtMs(): number | null {
    const path = this.init.directory.file(PREFERENCES_NAME);
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
  }
}
