import type {
  Manifest,
  OriginTicketsAnswer,
  OriginTicketsRequest,
  SwarmAnnounce,
  SwarmAnnounceAnswer,
} from '@gleaner/protocol';
import type { BlobLocation } from '../chunk-source.js';
import type { CoordinatorAnswer, CoordinatorCall, CoordinatorReply, SwarmMessage } from './ipc.js';
import { CoordinatorRefusedError, type SwarmCoordinator } from './swarm-coordinator.js';

interface Pending {
  readonly resolve: (answer: CoordinatorAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** The coordinator as the node's process sees it: its parent makes the calls, because it alone has the host's token. */
export class ParentCoordinator implements SwarmCoordinator {
  readonly #pending = new Map<number, Pending>();
  #lastCallId = 0;

  constructor(private readonly send: (message: SwarmMessage) => void) {}

  async announce(announce: SwarmAnnounce, signal: AbortSignal): Promise<SwarmAnnounceAnswer> {
    const reply = await this.#call({ method: 'announce', announce }, signal);
    if (reply.method !== 'announce') throw new TypeError(`an announce was answered with ${reply.method}`);
    return reply.answer;
  }

  async requestOriginTickets(
    request: OriginTicketsRequest,
    signal: AbortSignal,
  ): Promise<OriginTicketsAnswer> {
    const reply = await this.#call({ method: 'origin-tickets', request }, signal);
    if (reply.method !== 'origin-tickets') throw new TypeError(`tickets were answered with ${reply.method}`);
    return reply.answer;
  }

  async fetchChunk(
    { manifestId }: BlobLocation,
    _manifest: Manifest,
    chunk: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const reply = await this.#call({ method: 'fetch-chunk', manifestId, chunk }, signal);
    if (reply.method !== 'fetch-chunk') throw new TypeError(`a fetch was answered with ${reply.method}`);
    return reply.bytes;
  }

  /** Takes the parent's answer. */
  settle({ callId, reply }: CoordinatorReply): void {
    this.#pending.get(callId)?.resolve(reply);
  }

  async #call(call: CoordinatorCall, signal: AbortSignal): Promise<CoordinatorAnswer> {
    signal.throwIfAborted();
    const callId = (this.#lastCallId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<CoordinatorAnswer>();
    const onAbort = (): void => {
      this.send({ type: 'abort-call', callId });
      reject(new Error('the call was aborted'));
    };
    signal.addEventListener('abort', onAbort);
    this.#pending.set(callId, { resolve, reject });
    this.send({ type: 'call', callId, call });
    try {
      const reply = await promise;
      if (reply.method === 'failed')
        throw reply.isRefused ? new CoordinatorRefusedError(reply.message) : new Error(reply.message);
      return reply;
    } finally {
      this.#pending.delete(callId);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
