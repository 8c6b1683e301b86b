import {
  SandboxProcess,
  type RunOptions,
  type SandboxProcessOptions,
  type UnitResult,
  type UnitToRun,
} from '@gleaner/sandbox/runner';

/** One sandbox process a core, started when first needed and used for one unit after the other. */
export class SandboxPool {
  readonly #idle: SandboxProcess[] = [];
  readonly #all = new Set<SandboxProcess>();

  /** @param options which directories the processes may read, and where they may keep snapshots; nothing else */
  constructor(private readonly options: SandboxProcessOptions) {}

  /** Runs the unit in an idle process, or in a new one: the caller bounds how many run at the same time. */
  async run(unit: UnitToRun, options: RunOptions): Promise<UnitResult> {
    const sandbox = this.#idle.pop() ?? this.#start();
    try {
      return await sandbox.run(unit, options);
    } finally {
      if (this.#all.has(sandbox)) this.#idle.push(sandbox);
    }
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    const all = [...this.#all];
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.all(all.map((sandbox) => sandbox.close()));
  }

  #start(): SandboxProcess {
    const sandbox = new SandboxProcess(this.options);
    this.#all.add(sandbox);
    return sandbox;
  }
}
