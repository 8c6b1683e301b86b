import { RUNTIME_VERSION } from '@gleaner/sandbox';
import { SandboxWorker, type InputContent, type UnitResult } from '@gleaner/sandbox/browser';
import type { ComputeAllowance } from '../compute-allowance.js';
import { ComputingTime } from '../computing-time.js';
import { Deadline } from '../deadline.js';
import type { HeldTask } from '../held-task.js';
import { infrastructureResult } from '../result-report.js';
import type { TaskRunner, TaskRunOptions } from '../task-runner.js';
import { unitToRun, windowOf } from '../unit-to-run.js';
import type { TabContent } from './tab-content.js';

/** A picture that the app of a running task shows, in the app's own format. */
export interface Frame {
  readonly taskId: string;
  readonly app: string;
  readonly jobName: string;
  readonly bytes: Uint8Array;
}

/** Runs units in Web Workers, one a core. Pausing takes effect between the steps of an app. */
export class BrowserTaskRunner implements TaskRunner {
  readonly #idle: SandboxWorker[] = [];
  /** And what the computing of the unit that runs there is counted in. */
  readonly #all = new Map<SandboxWorker, ComputingTime>();
  #allowance: Pick<ComputeAllowance, 'cores' | 'dutyCycle'> = { cores: 1, dutyCycle: 1 };

  constructor(
    private readonly content: TabContent,
    private readonly onFrame: (frame: Frame) => void,
  ) {}

  async run(held: HeldTask, options: TaskRunOptions): Promise<UnitResult> {
    const { app, inputs: locations, name: jobName } = held.job;
    if (app.runtimeVersion !== RUNTIME_VERSION) {
      return infrastructureResult(`this page has no sandbox ${app.runtimeVersion}: reload it`);
    }
    const deadline = new Deadline(options.signal, options.leftMs);
    const { signal, leftMs } = deadline;
    try {
      const bytes = await this.content.module(app.moduleUrl, app.moduleSha256, signal);
      const inputs: Record<string, InputContent> = {};
      for (const [name, location] of Object.entries(locations)) {
        const pieces = await this.content.window(location, windowOf(held, name), signal);
        inputs[name] = { kind: 'pieces', pieces };
      }
      const unit = unitToRun(held, inputs, { kind: 'bytes', bytes }, leftMs);
      const { taskId } = held.task;
      const onFrame = (frame: Uint8Array): void =>
        this.onFrame({ taskId, app: app.name, jobName, bytes: frame });
      return await this.#compute(options.computing ?? new ComputingTime(), (sandbox) =>
        sandbox.run(unit, { ...options, onFrame }),
      );
    } catch (error) {
      options.signal.throwIfAborted();
      return infrastructureResult(error instanceof Error ? error.message : String(error));
    } finally {
      deadline.end();
    }
  }

  allow(allowance: ComputeAllowance): void {
    this.#allowance = allowance;
    for (const sandbox of this.#all.keys()) this.#apply(sandbox);
  }

  retain(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const all = [...this.#all.keys()];
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.all(all.map((sandbox) => sandbox.close()));
  }

  async #compute(
    computing: ComputingTime,
    work: (sandbox: SandboxWorker) => Promise<UnitResult>,
  ): Promise<UnitResult> {
    const sandbox = this.#idle.pop() ?? new SandboxWorker();
    this.#all.set(sandbox, computing);
    this.#apply(sandbox);
    try {
      return await work(sandbox);
    } finally {
      computing.setShare(0);
      if (this.#all.has(sandbox)) {
        this.#all.set(sandbox, new ComputingTime());
        this.#idle.push(sandbox);
      }
    }
  }

  /** A tab has one purpose: it computes on all its cores or pauses on all. */
  #apply(sandbox: SandboxWorker): void {
    const { cores, dutyCycle } = this.#allowance;
    sandbox.setDutyCycle(dutyCycle);
    this.#all.get(sandbox)?.setShare(cores > 0 ? dutyCycle : 0);
    if (cores > 0) sandbox.resume();
    else sandbox.pause();
  }
}
