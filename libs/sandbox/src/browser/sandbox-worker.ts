import type { SandboxReply, SandboxRequest } from '../runner/messages.js';
import { Sandbox } from '../runner/sandbox.js';
import type { LinkEvents, SandboxLink } from '../runner/sandbox-link.js';

export interface SandboxWorkerOptions {
  /** Makes a worker of `@gleaner/sandbox/browser/worker`, for bundlers that place it elsewhere. */
  readonly createWorker?: () => Worker;
  /** Share of the time (0 to 1] that it computes, between the steps of stepping apps. */
  readonly dutyCycle?: number;
}

/**
 * One Web Worker that computes units, with the same results as `SandboxProcess` in Node; modules and inputs come as
 * bytes. A browser cannot stop a worker in the middle of a call: pausing and resting take effect between steps and
 * between units.
 */
export class SandboxWorker extends Sandbox {
  constructor(options: SandboxWorkerOptions = {}) {
    const createWorker = options.createWorker ?? defaultWorker;
    super((events) => openWorker(createWorker(), events), options.dutyCycle);
  }

  /** A worker that has started; rejects where it cannot, as where its program is not to be had any more. */
  static start(options: SandboxWorkerOptions = {}): Promise<SandboxWorker> {
    return new SandboxWorker(options).started();
  }
}

function defaultWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}

function openWorker(worker: Worker, events: LinkEvents): SandboxLink {
  // Only the sandbox's own program answers, and both are built from one source.
  worker.addEventListener('message', ({ data }: MessageEvent<SandboxReply>) => events.onReply(data));
  // A program that could not be loaded is an event without a message, whatever the types say.
  worker.addEventListener('error', ({ message = 'its program could not be loaded' }: Partial<ErrorEvent>) =>
    events.onEnd(message),
  );
  const send = (request: SandboxRequest): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origin
    worker.postMessage(request);
  };
  return {
    send,
    kill: () => worker.terminate(),
    setStopped: (isStopped) => send({ type: 'hold', isHeld: isStopped }),
    // A page lives as long as it is open.
    setHolding: () => {},
  };
}
