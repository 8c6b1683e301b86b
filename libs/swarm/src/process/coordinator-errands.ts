import type { Manifest } from '@gleaner/protocol';
import type { BlobLocation } from '../chunk-source.js';
import type { CoordinatorAnswer, CoordinatorCall, CoordinatorReply } from './ipc.js';
import { CoordinatorRefusedError, type SwarmCoordinator } from './swarm-coordinator.js';

/** Calls that the node's process may have under way: far more than it ever needs. */
const MAX_CALLS = 256;

/** The parent's half of the process's calls to the coordinator: only for files that were joined, and never more than a few. */
export class CoordinatorErrands {
  readonly #files = new Map<string, { readonly location: BlobLocation; readonly manifest: Manifest }>();
  readonly #calls = new Map<number, AbortController>();

  constructor(
    private readonly coordinator: SwarmCoordinator,
    private readonly reply: (reply: CoordinatorReply) => void,
  ) {}

  know(location: BlobLocation, manifest: Manifest): void {
    this.#files.set(location.manifestId, { location, manifest });
  }

  forget(manifestId: string): void {
    this.#files.delete(manifestId);
  }

  async run(callId: number, call: CoordinatorCall): Promise<void> {
    if (this.#calls.size >= MAX_CALLS) {
      this.reply({
        callId,
        reply: { method: 'failed', message: 'too many calls at once', isRefused: false },
      });
      return;
    }
    const controller = new AbortController();
    this.#calls.set(callId, controller);
    try {
      this.reply({ callId, reply: await this.#answer(call, controller.signal) });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const isRefused = error instanceof CoordinatorRefusedError;
      this.reply({ callId, reply: { method: 'failed', message, isRefused } });
    } finally {
      this.#calls.delete(callId);
    }
  }

  abort(callId: number): void {
    this.#calls.get(callId)?.abort(new Error('no longer needed'));
  }

  /** Takes all calls back. */
  close(): void {
    for (const callId of this.#calls.keys()) this.abort(callId);
  }

  async #answer(call: CoordinatorCall, signal: AbortSignal): Promise<CoordinatorAnswer> {
    switch (call.method) {
      case 'announce':
        return { method: call.method, answer: await this.coordinator.announce(call.announce, signal) };
      case 'origin-tickets':
        return {
          method: call.method,
          answer: await this.coordinator.requestOriginTickets(call.request, signal),
        };
      case 'fetch-chunk': {
        const known = this.#files.get(call.manifestId);
        if (!known) throw new RangeError(`${call.manifestId} is not shared`);
        const { location, manifest } = known;
        const bytes = await this.coordinator.fetchChunk(location, manifest, call.chunk, signal);
        return { method: call.method, bytes };
      }
    }
  }
}
