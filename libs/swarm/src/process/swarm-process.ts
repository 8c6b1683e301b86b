import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SignedCertificate } from '@gleaner/protocol';
import { CoordinatorErrands } from './coordinator-errands.js';
import type { SharedFileRequest, SwarmMessage, SwarmProcessInit, SwarmRequest, SwarmResult } from './ipc.js';
import type { SwarmCoordinator } from './swarm-coordinator.js';
import type { SwarmMemory } from './swarm-memory.js';
import type { SwarmProgress } from './swarm-node-init.js';

const CLOSE_TIMEOUT_MS = 5000;
/** Everything but a fetch is answered at once: a process that is silent for so long hangs, and tasks must not hang with it. */
const ANSWER_TIMEOUT_MS = 15_000;
/** Loading the process's code takes long on a loaded machine. */
const START_TIMEOUT_MS = 60_000;
/**
 * Chunks, and what becomes of them on their way, are memory outside V8's heap that is garbage soon. A young generation of a megabyte
 * is collected often enough to free it, and is little of a volunteer's memory. Left to itself V8 marks its whole heap for every few
 * dozen megabytes of such memory: at a hundred a second that is two fifths of all the work. So it counts them as the rest, of
 * which there may be this much; what loading leaves behind is collected at once instead.
 */
const V8_FLAGS = [
  '--max-semi-space-size=1',
  '--external-memory-accounted-in-global-limit',
  '--initial-old-space-size=128',
  '--expose-gc',
];

/** How a process is started that carries a node: with nothing of the agent's, as its environment may hold a token. */
export function nodeProcessOptions(): { readonly execArgv: string[]; readonly env: NodeJS.ProcessEnv } {
  return {
    execArgv: [...V8_FLAGS],
    env: {
      PATH: process.env['PATH'],
      SystemRoot: process.env['SystemRoot'],
      // glibc would keep what was freed in up to eight arenas for each core: a volunteer's memory.
      MALLOC_ARENA_MAX: '2',
    },
  };
}

/** A request without its id; keeps the union's members apart, which `Omit` would not. */
type Command = SwarmRequest extends infer R ? (R extends SwarmRequest ? Omit<R, 'id'> : never) : never;

interface Pending {
  readonly resolve: (result: SwarmResult) => void;
  readonly reject: (error: Error) => void;
}

export interface SwarmProcessEvents {
  /** Makes the process's calls; it has no credentials of its own. */
  readonly coordinator: SwarmCoordinator;
  /** The process has verified a chunk and written it into the data file. */
  readonly onStored: (manifestId: string, chunk: number) => void;
  /** The disk returned a chunk damaged: it counts as absent. */
  readonly onDamaged: (manifestId: string, chunk: number) => void;
  /** The process has exchanged as much as it may, and ends: what it has done until then. */
  readonly onBudgetUsed?: (progress: SwarmProgress) => void;
  /** Called once, however the process ended. */
  readonly onEnded?: (reason: Error) => void;
  readonly onLog?: (event: string, fields: Readonly<Record<string, string | number>>) => void;
}

/** The swarm's process is gone; the origin alone suffices until another is started. */
export class SwarmProcessEndedError extends Error {
  override readonly name = 'SwarmProcessEndedError';
}

/**
 * The P2P node in a child process of its own. It reads and writes chunks in the store's data files, and tells this side what
 * it stored; the store, its quota and its bitmaps stay here.
 */
export class SwarmProcess {
  readonly #pending = new Map<number, Pending>();
  readonly #errands: CoordinatorErrands;
  #lastId = 0;
  #ended: Error | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly events: SwarmProcessEvents,
    private readonly answerTimeoutMs: number,
  ) {
    this.#errands = new CoordinatorErrands(events.coordinator, (reply) => {
      if (this.child.connected) this.child.send(reply);
    });
    child.on('message', (message: SwarmMessage) => this.#onMessage(message));
    child.on('exit', (code, signal) =>
      this.#onExit(`the swarm process ended (${signal ?? `exit code ${code}`})`),
    );
    child.on('error', (error) => this.#onExit(`the swarm process failed: ${error.message}`));
  }

  /**
   * Starts the process and its node. Addresses are where other peers reach it.
   *
   * @param launcher a command that becomes the process, such as `ip netns exec some-network`; none when left out
   * @param answerTimeoutMs after which a process that does not answer is killed
   */
  static async start(
    init: SwarmProcessInit,
    events: SwarmProcessEvents,
    launcher: readonly string[] = [],
    answerTimeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<{ process: SwarmProcess; addresses: readonly string[]; pid: number }> {
    const [execPath, ...execArgv] = [...launcher, process.execPath];
    const options = nodeProcessOptions();
    const child = fork(childPath(), {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execPath,
      execArgv: [...execArgv, ...options.execArgv],
      env: options.env,
    });
    const started = new SwarmProcess(child, events, answerTimeoutMs);
    try {
      const result = await started.#call({ method: 'start', init }, START_TIMEOUT_MS);
      if (result.kind !== 'started') throw new TypeError(`the swarm process answered ${result.kind}`);
      return { process: started, addresses: result.addresses, pid: result.pid };
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** Shares a file, or renews its ticket. */
  async join(request: SharedFileRequest): Promise<void> {
    this.#errands.know(request.location, request.manifest);
    await this.#call({ method: 'join', request });
  }

  /** Resolves once the process neither reads nor writes the file any longer. */
  async leave(manifestId: string): Promise<void> {
    // At once: when the answer comes the file may have been joined again.
    this.#errands.forget(manifestId);
    await this.#call({ method: 'leave', manifestId });
  }

  /** Fetches chunks of a joined file from peers, and from the origin where these fail; resolves when all are stored. */
  async fetch(manifestId: string, indices: readonly number[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const id = (this.#lastId += 1);
    const abort = (): void => {
      // An ended process has forgotten the fetch anyhow.
      this.#call({ method: 'abort-fetch', fetchId: id }).catch(() => undefined);
    };
    signal.addEventListener('abort', abort);
    try {
      await this.#callWithId(id, { method: 'fetch', manifestId, indices });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** This side has verified these chunks and written them into the data file. */
  async noteStored(manifestId: string, indices: readonly number[]): Promise<void> {
    await this.#call({ method: 'note-stored', manifestId, indices });
  }

  async renewCertificate(certificate: SignedCertificate): Promise<void> {
    await this.#call({ method: 'renew-certificate', certificate });
  }

  /** Bytes per second that the volunteer allows; infinite for none. */
  async limit(limits: {
    readonly uploadBytesPerSecond: number;
    readonly downloadBytesPerSecond: number;
  }): Promise<void> {
    await this.#call({ method: 'limit', ...limits });
  }

  /** Lets the process go on until it has exchanged so many bytes with other volunteers since its start. */
  async setBudget(mostExchangedBytes: number): Promise<void> {
    await this.#call({ method: 'set-budget', mostExchangedBytes });
  }

  /** What the node has learnt, for the next start. */
  async memory(): Promise<SwarmMemory> {
    const result = await this.#call({ method: 'memory' });
    if (result.kind !== 'memory') throw new TypeError(`the swarm process answered ${result.kind}`);
    return result.memory;
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

  /** Kills the process when it does not answer in time: who waits is told that it has ended. */
  async #call(command: Command, timeoutMs = this.answerTimeoutMs): Promise<SwarmResult> {
    const timer = setTimeout(() => {
      this.events.onLog?.('swarm-process-hangs', { method: command.method, timeoutMs });
      this.child.kill('SIGKILL');
    }, timeoutMs);
    try {
      return await this.#callWithId((this.#lastId += 1), command);
    } finally {
      clearTimeout(timer);
    }
  }

  async #callWithId(id: number, command: Command): Promise<SwarmResult> {
    if (this.#ended) throw this.#ended;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.child.send({ ...command, id }, (error) => {
        if (error) this.#settle(id)?.reject(error);
      });
    });
  }

  #onMessage(message: SwarmMessage): void {
    switch (message.type) {
      case 'answer':
        this.#settle(message.id)?.resolve(message.result);
        return;
      case 'error':
        this.#settle(message.id)?.reject(new Error(message.message));
        return;
      case 'stored':
        for (const chunk of message.chunks) this.events.onStored(message.manifestId, chunk);
        return;
      case 'damaged':
        this.events.onDamaged(message.manifestId, message.chunk);
        return;
      case 'budget-used':
        this.events.onBudgetUsed?.(message.progress);
        return;
      case 'call':
        void this.#errands.run(message.callId, message.call);
        return;
      case 'abort-call':
        this.#errands.abort(message.callId);
        return;
      case 'log':
        this.events.onLog?.(message.event, message.fields);
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #onExit(reason: string): void {
    if (this.#ended) return;
    this.#ended = new SwarmProcessEndedError(reason);
    this.#errands.close();
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
    this.events.onEnded?.(this.#ended);
  }
}

/** Beside this file; from the sources, what the build made of them. */
function childPath(): string {
  const beside = fileURLToPath(new URL('./swarm-child.js', import.meta.url));
  if (existsSync(beside)) return beside;
  return fileURLToPath(new URL('../../dist/process/swarm-child.js', import.meta.url));
}
