import {
  attachBrowser,
  CoordinatorError,
  createBrowserWorker,
  describeBrowser,
  sayFarewell,
  type Frame,
  type Worker,
  type WorkerStatus,
} from '@gleaner/worker-sdk/browser';
import { sessionAccount } from '../api/session';
import { OnlyTab } from './only-tab';
import { DEFAULT_WISHES, pauseReason, type Surroundings, type Wishes } from './pause-reason';
import { forgetHost, readSavedHost, saveHost, type SavedHost } from './saved-host';
import { watchSurroundings } from './surroundings';

const PAGE_VERSION = '0.1.0';

export interface VolunteerState {
  /** `busy-elsewhere`: another tab of this browser volunteers. */
  readonly phase: 'off' | 'starting' | 'on' | 'stopping' | 'busy-elsewhere';
  readonly wishes: Wishes;
  readonly status: WorkerStatus | null;
  /** Why it does not compute although it is on. */
  readonly paused: string | null;
  /** Why it is off although it was started. */
  readonly error: string | null;
  /** Executed instructions of the task in hand, as far as it has told. */
  readonly taskCycles: bigint;
  readonly acceptedResults: number;
  readonly host: SavedHost | null;
}

/** Volunteering in this tab: outlives the page that shows it, ends with the tab. One a program. */
class VolunteerSession {
  #state: VolunteerState = {
    phase: 'off',
    wishes: DEFAULT_WISHES,
    status: null,
    paused: null,
    error: null,
    taskCycles: 0n,
    acceptedResults: 0,
    host: readSavedHost(),
  };
  readonly #listeners = new Set<() => void>();
  readonly #frameListeners = new Set<(frame: Frame) => void>();
  readonly #onlyTab = new OnlyTab();
  #worker: Worker | null = null;
  #surroundings: Surroundings = { isHidden: false, isOnBattery: false };
  #unwatch: (() => void) | null = null;

  get state(): VolunteerState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  onFrame(listener: (frame: Frame) => void): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  wish(change: Partial<Wishes>): void {
    this.#set({ wishes: { ...this.#state.wishes, ...change } });
    this.#applyAllowance();
  }

  /** Begins to volunteer. Only ever called by a click. */
  async start(): Promise<void> {
    if (this.#state.phase !== 'off' && this.#state.phase !== 'busy-elsewhere') return;
    this.#set({ phase: 'starting', error: null });
    if (!(await this.#onlyTab.claim())) {
      this.#set({ phase: 'busy-elsewhere' });
      return;
    }
    try {
      const host = await this.#attach();
      await this.#begin(host);
    } catch (error) {
      this.#onlyTab.release();
      this.#set({ phase: 'off', error: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Stops, and gives back what is unfinished. */
  async stop(): Promise<void> {
    if (!this.#worker || this.#state.phase === 'stopping') return;
    this.#set({ phase: 'stopping' });
    await this.#worker.stop();
  }

  async #attach(): Promise<SavedHost> {
    const saved = readSavedHost();
    const account = sessionAccount();
    // Somebody who has signed in since gets the credit from now on; what was anonymous stays claimable.
    if (saved && (account === null || saved.accountId === account)) return saved;
    const facts = describeBrowser('browser', PAGE_VERSION);
    const attached = await attachBrowser(
      // The session's cookie, if there is one, says whose host it becomes.
      { baseUrl: new URL(location.origin), facts },
      AbortSignal.timeout(30_000),
    );
    const host: SavedHost = {
      hostId: attached.hostId,
      accountId: attached.accountId,
      isAnonymous: attached.anonymous,
      secret: attached.secret,
    };
    saveHost(host);
    return host;
  }

  async #begin(host: SavedHost): Promise<void> {
    const baseUrl = new URL(location.origin);
    const worker = createBrowserWorker({
      baseUrl,
      token: host.secret,
      cores: Math.max(1, navigator.hardwareConcurrency),
      onFrame: (frame) => {
        for (const listener of this.#frameListeners) listener(frame);
      },
    });
    this.#worker = worker;
    worker.on('status', (status) => this.#set({ status }));
    worker.on('task-started', () => this.#set({ taskCycles: 0n }));
    worker.on('task-progress', ({ cycles }) => {
      if (cycles !== null) this.#set({ taskCycles: cycles });
    });
    worker.on('task-finished', () => this.#set({ taskCycles: 0n }));
    worker.on('report-answered', ({ status }) => {
      if (status === 'accepted') this.#set({ acceptedResults: this.#state.acceptedResults + 1 });
    });
    worker.on('stopped', ({ error }) => this.#ended(error));
    const farewell = (): void => sayFarewell(baseUrl, host.secret);
    addEventListener('pagehide', farewell);
    const unwatch = watchSurroundings((surroundings) => {
      this.#surroundings = surroundings;
      this.#applyAllowance();
    });
    this.#unwatch = () => {
      unwatch();
      removeEventListener('pagehide', farewell);
    };
    await worker.start();
    this.#set({ phase: 'on', host });
  }

  #ended(error: Error | null): void {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#worker = null;
    this.#onlyTab.release();
    // A host that the coordinator forgot, or whose token was revoked: the next start attaches anew.
    if (error instanceof CoordinatorError && error.kind === 'revoked') forgetHost();
    this.#set({ phase: 'off', paused: null, error: error?.message ?? null, host: readSavedHost() });
  }

  #applyAllowance(): void {
    const { wishes } = this.#state;
    const reason = pauseReason(wishes, this.#surroundings);
    this.#set({ paused: reason });
    this.#worker?.allow({
      cores: reason === null ? wishes.cores : 0,
      dutyCycle: wishes.share / 100,
      memoryMiB: null,
      reason: reason ?? 'computing in this tab',
    });
  }

  #set(change: Partial<VolunteerState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

export const volunteerSession = new VolunteerSession();
