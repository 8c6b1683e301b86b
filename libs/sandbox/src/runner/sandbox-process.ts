import type { SandboxReply } from './messages.js';
import { OPTIMISED_ENGINE, spawnReaper, spawnSandbox } from './spawn-sandbox.js';
import type { RunOptions, UnitResult, UnitToRun } from './types.js';
import { UnitScheduler, type LinkEvents, type SandboxLink } from './unit-scheduler.js';

export interface SandboxProcessOptions {
  /** Directories from which modules and inputs may be read; any file where absent. */
  readonly readableDirectories?: readonly string[];
  /** Directory for the files of `RunOptions.checkpoint`; without it no snapshots can be kept in files. */
  readonly checkpointDirectory?: string;
  /** V8 flags, by default those that make one long call run in optimised code. */
  readonly engineFlags?: readonly string[];
  /** Share of the time (0 to 1] that it computes. */
  readonly dutyCycle?: number;
}

/**
 * One child process that computes units: without environment, network use and inherited descriptors, at the lowest
 * priority. It starts at the first unit, is killed when a unit is aborted or runs over its wall clock, is replaced when
 * it dies, and ends with this process, however that ends.
 */
export class SandboxProcess {
  readonly #scheduler: UnitScheduler;
  #pid: number | null = null;

  constructor(options: SandboxProcessOptions = {}) {
    const spawnOptions = {
      readableDirectories: options.readableDirectories ?? null,
      writableDirectory: options.checkpointDirectory ?? null,
      engineFlags: options.engineFlags ?? OPTIMISED_ENGINE,
    };
    this.#scheduler = new UnitScheduler((events) => {
      const { link, pid } = openProcess(spawnOptions, events);
      this.#pid = pid;
      return link;
    });
    if (options.dutyCycle !== undefined) this.#scheduler.setDutyCycle(options.dutyCycle);
  }

  /** A sandbox process that has started. */
  static async start(options: SandboxProcessOptions = {}): Promise<SandboxProcess> {
    const sandbox = new SandboxProcess(options);
    await sandbox.#scheduler.start();
    return sandbox;
  }

  /** Process id of the child, null before it starts. It changes when the child is replaced. */
  get pid(): number | null {
    return this.#pid;
  }

  /**
   * Computes a unit. Units handed in while another runs wait in order. What goes wrong on this host is the outcome
   * `infrastructure`; the promise rejects only with the reason of `options.signal`.
   */
  run(unit: UnitToRun, options: RunOptions = {}): Promise<UnitResult> {
    return this.#scheduler.run(unit, options);
  }

  /** Stops computing at once, in the middle of a unit, until {@link resume}; results and counts stay the same. */
  pause(): void {
    this.#scheduler.pause();
  }

  resume(): void {
    this.#scheduler.resume();
  }

  /** Computes only a share (0 to 1] of the time. */
  setDutyCycle(share: number): void {
    this.#scheduler.setDutyCycle(share);
  }

  /** Ends the process; unfinished units end as `infrastructure`. Closing twice is safe. */
  close(): Promise<void> {
    this.#scheduler.close();
    return Promise.resolve();
  }
}

function openProcess(
  options: Parameters<typeof spawnSandbox>[0],
  events: LinkEvents,
): { link: SandboxLink; pid: number | null } {
  const child = spawnSandbox(options);
  const reaper = child.pid === undefined ? null : spawnReaper(child.pid);
  // Only the sandbox's own program writes to the channel, and both are built from one source.
  child.on('message', (reply) => events.onReply(reply as SandboxReply));
  child.once('exit', (code, signal) => {
    reaper?.kill('SIGKILL');
    events.onEnd(signal === null ? `exit code ${code}` : `signal ${signal}`);
  });
  child.once('error', (error) => events.onEnd(error.message));
  child.unref();
  const link: SandboxLink = {
    send: (request) => {
      // A dead channel shows as the process's end, which is handled there.
      if (child.connected) child.send(request, ignore);
    },
    kill: () => void child.kill('SIGKILL'),
    setStopped: (isStopped) => {
      if (process.platform === 'win32') link.send({ type: 'hold', isHeld: isStopped });
      else child.kill(isStopped ? 'SIGSTOP' : 'SIGCONT');
    },
    setHolding: (isHolding) => {
      if (isHolding) child.channel?.ref();
      else child.channel?.unref();
    },
  };
  return { link, pid: child.pid ?? null };
}

function ignore(): void {}
