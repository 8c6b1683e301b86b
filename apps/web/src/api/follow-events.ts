const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;
/** The coordinator says something each 15 s, if only that it is still there. */
const SILENCE_MS = 45_000;
/** What a wait is longer than it has to be by, at most: those whom one outage cut off come back spread over that. */
const JITTER_SHARE = 0.5;

/** What a connection is opened with: the generated client's options for streams. */
export interface StreamOptions<T> {
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  readonly sseMaxRetryAttempts: number;
  readonly onSseEvent: (event: TaggedEvent<T>) => void;
}

interface TaggedEvent<T> {
  /** Missing in what only says that the other end is still there. */
  readonly event?: string;
  readonly id?: string;
  /** How long the coordinator wants a client to wait before it connects again, in milliseconds. */
  readonly retry?: number;
  readonly data: T;
}

interface Following<T> {
  /** One connection of the generated client, read until it ends. */
  readonly open: (options: StreamOptions<T>) => Promise<{ readonly stream: AsyncIterable<unknown> }>;
  /** Given the data of each event called `job`. */
  readonly onEvent: (data: T) => void;
  /** Nothing comes at the moment; whoever follows has to ask. */
  readonly onBroken: () => void;
  /** From 0 up to 1, each time anew. */
  readonly random?: () => number;
  /** Says `online` when this computer is in a network again; the window unless given. */
  readonly network?: EventTarget;
}

/**
 * Follows a stream of events until it ends or the returned function is called. A connection that breaks is opened again no
 * sooner than the coordinator asked for, one that never came about (a proxy's 502, a busy server's 503) after 5 s, then ever
 * later, at least each minute; each time up to half as much later, as chance will have it, and at once when this computer is in a
 * network again, which is no time at which all others come. One on which nothing comes is
 * broken, too: a proxy keeps the events to itself, or the line went while the computer slept.
 */
export function followEvents<T>(following: Following<T>): () => void {
  const stopping = new AbortController();
  void follow(following, stopping.signal);
  return () => stopping.abort();
}

async function follow<T>(
  { open, onEvent, onBroken, random = Math.random, network = globalThis }: Following<T>,
  signal: AbortSignal,
): Promise<void> {
  let waitMs = FIRST_WAIT_MS;
  let lastEventId: string | undefined;
  let isOver = false;
  const onSseEvent = ({ event, id, retry, data }: TaggedEvent<T>): void => {
    waitMs = retry ?? FIRST_WAIT_MS;
    lastEventId = id ?? lastEventId;
    if (event === 'end') isOver = true;
    else if (event === 'job' && !signal.aborted) onEvent(data);
  };
  for (;;) {
    await readOnce(open, {
      signal,
      // Spares what was told already: the coordinator sends the newest state to whoever has not seen it.
      headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
      // The client itself gives up after an end without a farewell, and waits on when nobody follows any more.
      sseMaxRetryAttempts: 1,
      onSseEvent,
    });
    // Both change while the connection is read.
    if ((isOver as boolean) || signal.aborted) return;
    onBroken();
    await elapsed(Math.min(LONGEST_WAIT_MS, waitMs * (1 + JITTER_SHARE * random())), signal, network);
    if (signal.aborted) return;
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
  }
}

/** Ends with the connection, however that ends, and ends it when nothing comes any more. */
async function readOnce<T>(open: Following<T>['open'], options: StreamOptions<T>): Promise<void> {
  const silence = new AbortController();
  const startTimer = (): ReturnType<typeof setTimeout> => setTimeout(() => silence.abort(), SILENCE_MS);
  let timer = startTimer();
  const onSseEvent = (event: TaggedEvent<T>): void => {
    clearTimeout(timer);
    timer = startTimer();
    options.onSseEvent(event);
  };
  try {
    const signal = AbortSignal.any([options.signal, silence.signal]);
    const { stream } = await open({ ...options, signal, onSseEvent });
    const events = stream[Symbol.asyncIterator]();
    // Reading on is what makes the client tell the events by their names.
    while (!(await events.next()).done);
  } catch {
    // Broken like any other: whoever follows is told.
  } finally {
    clearTimeout(timer);
  }
}

/** Ends after that time, with the signal, or when the computer is in a network again; either way nothing stays behind. */
async function elapsed(ms: number, signal: AbortSignal, network: EventTarget): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      network.removeEventListener('online', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    network.addEventListener('online', end);
  });
}
