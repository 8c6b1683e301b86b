import {
  attachBrowser,
  checkSandbox,
  CoordinatorError,
  createWorker,
  describeBrowser,
  sayFarewell,
  type Frame,
  type VolunteerWorker,
  type WorkerStatus,
} from '@gleaner/worker-sdk/browser';
import { forgetSession, sessionAccount } from '../api/session';
import { OnlyTab } from './only-tab';
import { pauseReason, type Run, type Surroundings, type Wishes } from './pause-reason';
import { reasonOfEnd } from './reason-of-end';
import { forgetHost, readSavedHost, saveHost, worksFor, type SavedHost } from './saved-host';
import { coresHere, readSavedWishes, saveWishes } from './saved-wishes';
import { watchSurroundings } from './surroundings';
import { TasksInHand } from './tasks-in-hand';

const PAGE_VERSION = '0.1.0';
const ATTACH_MS = 30_000;

export interface VolunteerState {
  /** `busy-elsewhere`: another tab of this browser volunteers. */
  readonly phase: 'off' | 'starting' | 'on' | 'stopping' | 'busy-elsewhere';
  readonly wishes: Wishes;
  readonly status: WorkerStatus | null;
  /** Why it does not compute although it is on. */
  readonly paused: string | null;
  /** Why it is off although it was started. */
  readonly error: string | null;
  /** Executed instructions of the tasks in hand, as far as they have told. */
  readonly taskCycles: bigint;
  /** What is computed shows no picture. */
  readonly isBlank: boolean;
  readonly acceptedResults: number;
  /** What was computed in this tab before it was stopped, and started again. */
  readonly before: { readonly cycles: bigint; readonly finishedTasks: number };
}

/** Volunteering in this tab: outlives the page that shows it, ends with the tab. One a program. */
class VolunteerSession {
  #state: VolunteerState = {
    phase: 'off',
    wishes: readSavedWishes(coresHere()),
    status: null,
    paused: null,
    error: null,
    taskCycles: 0n,
    isBlank: false,
    acceptedResults: 0,
    before: { cycles: 0n, finishedTasks: 0 },
  };
  readonly #listeners = new Set<() => void>();
  readonly #frameListeners = new Set<(frame: Frame) => void>();
  readonly #onlyTab = new OnlyTab();
  #tasks: TasksInHand | null = null;
  #starting: AbortController | null = null;
  #worker: VolunteerWorker | null = null;
  #surroundings: Surroundings = { isHidden: false, isOnBattery: false };
  #run: Run = 'run';
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
    const wishes = { ...this.#state.wishes, ...change };
    this.#set({ wishes });
    saveWishes(wishes);
    this.#applyAllowance();
  }

  /** Begins to volunteer. Only ever called by a click. */
  async start(): Promise<void> {
    if (this.#state.phase !== 'off' && this.#state.phase !== 'busy-elsewhere') return;
    const starting = new AbortController();
    this.#starting = starting;
    this.#set({ phase: 'starting', error: null });
    if (!(await this.#onlyTab.claim())) {
      this.#set({ phase: 'busy-elsewhere' });
      return;
    }
    try {
      // Whoever cannot compute takes no task, and becomes no machine.
      await checkSandbox(starting.signal);
      const host = await this.#attach(AbortSignal.any([starting.signal, AbortSignal.timeout(ATTACH_MS)]));
      starting.signal.throwIfAborted();
      await this.#begin(host);
    } catch (error) {
      // It was stopped meanwhile, and perhaps started again.
      if (this.#starting !== starting) return;
      const isWished = starting.signal.aborted;
      this.#ended(isWished ? null : error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Stops, and gives back what is unfinished. */
  async stop(): Promise<void> {
    this.#starting?.abort();
    if (!this.#worker || this.#state.phase === 'stopping') return;
    this.#set({ phase: 'stopping' });
    await this.#worker.stop();
  }

  async #attach(signal: AbortSignal): Promise<SavedHost> {
    const saved = readSavedHost();
    const account = sessionAccount();
    // Somebody who has signed in since gets the credit from now on; what was anonymous stays claimable.
    if (saved && (account === null || worksFor(saved, account))) return saved;
    const facts = describeBrowser('browser', PAGE_VERSION);
    const attached = await attachBrowser(
      // The session's cookie, if there is one, says whose host it becomes.
      { coordinator: location.origin, facts },
      signal,
    );
    // The session has ended meanwhile: remembered any longer, each start would make another machine of nobody's.
    if (attached.anonymous) forgetSession();
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
    const identity = { coordinator: location.origin, credentials: { token: host.secret } };
    const worker = createWorker({
      ...identity,
      policy: { cores: coresHere() },
      onFrame: (frame) => {
        if (!this.#tasks?.isShown(frame.taskId)) return;
        for (const listener of this.#frameListeners) listener(frame);
      },
    });
    this.#worker = worker;
    worker.on('status', (status) => this.#set({ status }));
    const tasks = new TasksInHand(worker, () => {
      this.#set({ taskCycles: tasks.cycles, isBlank: tasks.isBlank });
    });
    this.#tasks = tasks;
    worker.on('report-answered', ({ status }) => {
      if (status === 'accepted') this.#set({ acceptedResults: this.#state.acceptedResults + 1 });
    });
    worker.on('wishes', ({ run }) => {
      this.#run = run;
      this.#applyAllowance();
    });
    worker.on('stopped', ({ error }) => this.#ended(error));
    const farewell = ({ persisted }: PageTransitionEvent): void => {
      sayFarewell(identity);
      // Who comes back by the browser's button finds it off: what it held is others' by then.
      if (persisted) void this.stop();
    };
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
    // Whoever stopped it meanwhile has seen it end.
    if (this.#worker === worker && this.#state.phase === 'starting') this.#set({ phase: 'on' });
  }

  #ended(error: Error | null): void {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#worker = null;
    this.#starting = null;
    this.#tasks = null;
    this.#run = 'run';
    this.#onlyTab.release();
    const { before, status } = this.#state;
    // A host that the coordinator forgot, or whose token was revoked: the next start attaches anew.
    if (error instanceof CoordinatorError && error.kind === 'revoked') forgetHost();
    this.#set({
      phase: 'off',
      status: null,
      before: {
        cycles: before.cycles + (status?.cycles ?? 0n),
        finishedTasks: before.finishedTasks + (status?.finishedTasks ?? 0),
      },
      paused: null,
      error: error && reasonOfEnd(error),
      taskCycles: 0n,
      isBlank: false,
    });
  }

  #applyAllowance(): void {
    const { wishes } = this.#state;
    const reason = pauseReason(wishes, this.#surroundings, this.#run);
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
