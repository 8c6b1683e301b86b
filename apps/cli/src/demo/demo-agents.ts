import { join } from 'node:path';
import { ChildProgram } from '../processes/child-program.js';
import { agentMain } from '../processes/program-paths.js';
import { CliError } from '../cli-error.js';

/** An agent returns its leases within this long, or is killed. */
const STOP_GRACE_MS = 15_000;

export interface DemoAgentInit {
  readonly url: string;
  readonly accountToken: string;
  /** Name of its host. */
  readonly name: string;
  readonly directory: string;
}

/** The demo's agents, each a process of its own with a data directory of its own. */
export class DemoAgents implements AsyncDisposable {
  readonly #programs: ChildProgram[] = [];
  #isDisposed = false;

  /** Attaches an agent as a volunteer would, and starts it with one core. */
  async start(init: DemoAgentInit): Promise<void> {
    const directory = join(init.directory, init.name);
    const attaching = this.#run({
      label: `attaching ${init.name}`,
      main: agentMain(),
      args: ['attach', init.url, '--data', directory, '--name', init.name],
      // In the environment rather than an argument: other users of the machine can read arguments.
      env: { GLEANER_TOKEN: init.accountToken },
    });
    if ((await attaching.exited) !== 0) {
      throw new CliError([`${init.name} could not attach`, ...attaching.lastLines].join('\n'));
    }
    this.#run({
      label: `agent ${init.name}`,
      main: agentMain(),
      // Three agents share this machine and a job ends soon: little work ahead of what runs.
      args: ['run', '--always', '--cores', '1', '--memory', '256', '--buffer', '1', '--data', directory],
    });
  }

  /** Rejects when an agent ends by itself; never resolves. */
  async failed(): Promise<never> {
    return Promise.race(
      this.#programs.filter((program) => program.isRunning).map((program) => program.failed()),
    );
  }

  /** Stops all of them at the same time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await Promise.all(this.#programs.map((program) => program.stop(STOP_GRACE_MS)));
  }

  #run(init: ConstructorParameters<typeof ChildProgram>[0]): ChildProgram {
    // An agent that is attached while the demo ends would outlive it.
    if (this.#isDisposed) throw new CliError(`the demo ends: ${init.label} is not started`);
    const program = new ChildProgram(init);
    this.#programs.push(program);
    return program;
  }
}
