const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;
/** `EventSource.CLOSED`: the browser has given up, as it does for every answer but 200. */
const CLOSED = 2;

/** What is used of an `EventSource`. */
export interface EventStream {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: Event) => void): void;
  close(): void;
}

interface Following {
  readonly open: () => EventStream;
  /** Given the data of each event called `job`. */
  readonly onEvent: (data: string) => void;
  /** Nothing comes at the moment; whoever follows has to ask. */
  readonly onBroken: () => void;
}

/**
 * Follows a stream of events until it ends or the returned function is called. Where the browser gives up, for it does so
 * for good after a proxy's 502 or a busy server's 503, it is opened again: after 5 s, then ever later, at least each minute.
 */
export function followEvents({ open, onEvent, onBroken }: Following): () => void {
  let waitMs = FIRST_WAIT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stream: EventStream | null = null;
  const begin = (): void => {
    const opened = open();
    stream = opened;
    opened.addEventListener('open', () => {
      waitMs = FIRST_WAIT_MS;
    });
    // The coordinator's own events hold text.
    opened.addEventListener('job', (event) => onEvent((event as MessageEvent<string>).data));
    opened.addEventListener('end', () => opened.close());
    opened.addEventListener('error', () => {
      onBroken();
      if (opened.readyState !== CLOSED) return;
      timer = setTimeout(begin, waitMs);
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
    });
  };
  begin();
  return () => {
    clearTimeout(timer);
    stream?.close();
  };
}
