import { FULL_ALLOWANCE, type ComputeAllowance } from './compute-allowance.js';
import type { SwarmPreferences } from './swarm/swarm-preferences.js';
import { NO_TRAFFIC } from './traffic.js';
import type { VolunteerWorker } from './volunteer-worker.js';
import type { StopOptions } from './worker-components.js';
import type { WorkerEvents, WorkerStatus } from './worker-events.js';

type Instruction = (worker: VolunteerWorker) => void;

/** A worker whose parts are opened when it starts; what it is told before is told to it then. */
export class DeferredWorker implements VolunteerWorker {
  #worker: VolunteerWorker | undefined;
  #opening: Promise<VolunteerWorker> | undefined;
  #stopped: Promise<void> | undefined;
  /** In the order in which they came. */
  readonly #instructions = new Set<Instruction>();
  #allowance: ComputeAllowance = FULL_ALLOWANCE;
  #isFinishing = false;

  /** @param open is called once, by the first start */
  constructor(private readonly open: () => Promise<VolunteerWorker>) {}

  on<Name extends keyof WorkerEvents>(name: Name, listener: (event: WorkerEvents[Name]) => void): () => void {
    let off: (() => void) | undefined;
    const subscribe: Instruction = (worker) => {
      off = worker.on(name, listener);
    };
    this.#instruct(subscribe);
    return () => {
      this.#instructions.delete(subscribe);
      off?.();
    };
  }

  status(): WorkerStatus {
    if (this.#worker) return this.#worker.status();
    return {
      phase: this.#stopped ? 'stopped' : 'starting',
      reason: this.#stopped ? 'stopped' : 'the worker starts',
      running: [],
      isFinishing: this.#isFinishing,
      allowance: this.#allowance,
      swarm: null,
      buffered: 0,
      unreported: 0,
      finishedTasks: 0,
      cycles: 0n,
      traffic: NO_TRAFFIC,
      warnings: [],
    };
  }

  async start(): Promise<void> {
    if (this.#stopped) return;
    this.#opening ??= this.#open();
    const worker = await this.#opening;
    await worker.start();
  }

  allow(allowance: ComputeAllowance): void {
    this.#allowance = allowance;
    this.#instruct((worker) => {
      worker.allow(allowance);
    });
  }

  setSwarm(preferences: SwarmPreferences | null): void {
    this.#instruct((worker) => {
      worker.setSwarm(preferences);
    });
  }

  finish(): void {
    this.#isFinishing = true;
    this.#instruct((worker) => {
      worker.finish();
    });
  }

  async stop(options: StopOptions = {}): Promise<void> {
    this.#stopped ??= this.#stop(options);
    await this.#stopped;
  }

  async #open(): Promise<VolunteerWorker> {
    const worker = await this.open();
    this.#worker = worker;
    for (const instruct of this.#instructions) instruct(worker);
    this.#instructions.clear();
    return worker;
  }

  async #stop(options: StopOptions): Promise<void> {
    // What cannot be opened has nothing to stop; whoever started it knows why.
    const worker = await this.#opening?.catch(() => undefined);
    await worker?.stop(options);
  }

  #instruct(instruction: Instruction): void {
    if (this.#worker) instruction(this.#worker);
    else this.#instructions.add(instruction);
  }
}
