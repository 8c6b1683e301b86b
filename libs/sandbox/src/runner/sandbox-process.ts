import type { SandboxReply } from './messages.js';
import { OPTIMISED_ENGINE, spawnReaper, spawnSandbox } from './spawn-sandbox.js';
import { Sandbox } from './sandbox.js';
import type { LinkEvents, SandboxLink } from './sandbox-link.js';

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
export class SandboxProcess extends Sandbox {
  readonly #child: { pid: number | null };

  constructor(options: SandboxProcessOptions = {}) {
    const spawnOptions = {
      readableDirectories: options.readableDirectories ?? null,
      writableDirectory: options.checkpointDirectory ?? null,
      engineFlags: options.engineFlags ?? OPTIMISED_ENGINE,
    };
    const child: { pid: number | null } = { pid: null };
    super((events) => {
      const { link, pid } = openProcess(spawnOptions, events);
      child.pid = pid;
      return link;
    }, options.dutyCycle);
    this.#child = child;
  }

  /** A sandbox process that has started. */
  static start(options: SandboxProcessOptions = {}): Promise<SandboxProcess> {
    return new SandboxProcess(options).started();
  }

  /** Process id of the child, null before it starts. It changes when the child is replaced. */
  get pid(): number | null {
    return this.#child.pid;
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
