import { SandboxProcess, type RunOptions, type UnitResult, type UnitToRun } from '@gleaner/sandbox/runner';

/** One sandbox process a core, started when first needed and used for one unit after the other. */
export class SandboxPool {
  readonly #idle: SandboxProcess[] = [];
  readonly #all = new Set<SandboxProcess>();

  /** @param readableDirectories where modules and inputs lie; the processes can read nothing else */
  constructor(private readonly readableDirectories: readonly string[]) {}

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
    const sandbox = new SandboxProcess({ readableDirectories: this.readableDirectories });
    this.#all.add(sandbox);
    return sandbox;
  }
}
