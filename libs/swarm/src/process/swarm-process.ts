import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  ContentMismatchError,
  type ChunkRequest,
  type ChunkSource,
  type VerifiedChunk,
} from '../chunk-source.js';
import type { SwarmMessage, SwarmProcessInit, SwarmRequest, SwarmResult } from './ipc.js';
import type { JoinRequest, SwarmProgress } from './swarm-node.js';

const CLOSE_TIMEOUT_MS = 5000;

/** A request without its id; keeps the union's members apart, which `Omit` would not. */
type Command = SwarmRequest extends infer R ? (R extends SwarmRequest ? Omit<R, 'id'> : never) : never;

interface Pending {
  readonly resolve: (result: SwarmResult) => void;
  readonly reject: (error: Error) => void;
  readonly onChunk: ((chunk: number, dataPath: string) => void) | undefined;
}

/** The swarm's process is gone; the origin alone suffices until another is started. */
export class SwarmProcessEndedError extends Error {
  override readonly name = 'SwarmProcessEndedError';
}

/**
 * The P2P node in a child process of its own. As a {@link ChunkSource} it delivers chunks of joined files from peers and,
 * where they fail, from the origin; the bytes come through the store's file and are verified again on this side.
 */
export class SwarmProcess implements ChunkSource {
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #ended: Error | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly onLog: (event: string, fields: Readonly<Record<string, string | number>>) => void,
  ) {
    child.on('message', (message: SwarmMessage) => this.#onMessage(message));
    child.on('exit', (code, signal) =>
      this.#onExit(`the swarm process ended (${signal ?? `exit code ${code}`})`),
    );
    child.on('error', (error) => this.#onExit(`the swarm process failed: ${error.message}`));
  }

  /** Starts the process and its node. Addresses are where other peers reach it. */
  static async start(
    init: SwarmProcessInit,
    onLog: (event: string, fields: Readonly<Record<string, string | number>>) => void = () => undefined,
  ): Promise<{ process: SwarmProcess; addresses: readonly string[]; pid: number }> {
    const child = fork(fileURLToPath(new URL('./swarm-child.js', import.meta.url)), {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const started = new SwarmProcess(child, onLog);
    try {
      const result = await started.#call({ method: 'start', init });
      if (result.kind !== 'started') throw new TypeError(`the swarm process answered ${result.kind}`);
      return { process: started, addresses: result.addresses, pid: result.pid };
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** Shares a file, or renews its ticket. */
  async join(request: JoinRequest): Promise<void> {
    await this.#call({ method: 'join', request });
  }

  async leave(manifestId: string): Promise<void> {
    await this.#call({ method: 'leave', manifestId });
  }

  /** Chunks of a joined file, each as soon as it is there. */
  async *fetchChunks(request: ChunkRequest, signal: AbortSignal): AsyncGenerator<VerifiedChunk> {
    const { manifestId } = request.location;
    const stored: Array<{ chunk: number; dataPath: string }> = [];
    let wake: () => void = () => undefined;
    const state: { outcome: Error | 'running' | 'done' } = { outcome: 'running' };
    const id = (this.#lastId += 1);
    const end = (how: Error | 'done'): void => {
      if (state.outcome === 'running') state.outcome = how;
      wake();
    };
    const abort = (): void => end(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.throwIfAborted();
    signal.addEventListener('abort', abort);
    this.#callWithId(id, { method: 'fetch', manifestId, indices: request.indices }, (chunk, dataPath) => {
      stored.push({ chunk, dataPath });
      wake();
    }).then(
      () => end('done'),
      (error: unknown) => end(error instanceof Error ? error : new Error(String(error))),
    );
    try {
      for (;;) {
        const next = stored.shift();
        if (next) yield await readVerified(request, next);
        else if (state.outcome instanceof Error) throw state.outcome;
        else if (state.outcome === 'done') return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      signal.removeEventListener('abort', abort);
      if (state.outcome !== 'done' && !this.#ended)
        void this.#call({ method: 'abort-fetch', fetchId: id }).catch(() => undefined);
    }
  }

  /** Bytes per second that the volunteer allows; infinite for none. */
  async limit(limits: {
    readonly uploadBytesPerSecond: number;
    readonly downloadBytesPerSecond: number;
  }): Promise<void> {
    await this.#call({ method: 'limit', ...limits });
  }

  async progress(): Promise<SwarmProgress & { readonly cpuSeconds: number }> {
    const result = await this.#call({ method: 'progress' });
    if (result.kind !== 'progress') throw new TypeError(`the swarm process answered ${result.kind}`);
    return { ...result.progress, cpuSeconds: result.cpuSeconds };
  }

  /** Leaves the swarm and ends the process; closing twice is safe. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const exited = once(this.child, 'exit');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
    // The child ends itself once its parent lets go of it.
    await this.#call({ method: 'close' }).catch(() => undefined);
    if (this.child.connected) this.child.disconnect();
    await exited;
    clearTimeout(timer);
  }

  #call(command: Command): Promise<SwarmResult> {
    return this.#callWithId((this.#lastId += 1), command, undefined);
  }

  async #callWithId(id: number, command: Command, onChunk: Pending['onChunk']): Promise<SwarmResult> {
    if (this.#ended) throw this.#ended;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onChunk });
      this.child.send({ ...command, id });
    });
  }

  #onMessage(message: SwarmMessage): void {
    if (message.type === 'log') {
      this.onLog(message.event, message.fields);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === 'chunk') {
      pending.onChunk?.(message.chunk, message.dataPath);
      return;
    }
    this.#pending.delete(message.id);
    if (message.type === 'answer') pending.resolve(message.result);
    else pending.reject(new Error(message.message));
  }

  #onExit(reason: string): void {
    this.#ended ??= new SwarmProcessEndedError(reason);
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}

async function readVerified(
  { location, manifest }: ChunkRequest,
  { chunk, dataPath }: { chunk: number; dataPath: string },
): Promise<VerifiedChunk> {
  const offset = chunk * manifest.chunk;
  const bytes = new Uint8Array(Math.min(manifest.chunk, manifest.size - offset));
  const file = await open(dataPath, 'r');
  try {
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const expected = manifest.hashes[chunk] ?? '';
  if (sha256 !== expected)
    throw new ContentMismatchError(`chunk ${chunk} of ${location.blobId}`, expected, sha256);
  return { index: chunk, sha256, bytes };
}
