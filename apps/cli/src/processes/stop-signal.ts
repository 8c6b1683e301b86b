/**
 * An AbortSignal that Ctrl-C, SIGTERM and SIGHUP trigger, and the end of a parent that started us with an IPC channel.
 * A second Ctrl-C ends the process at once; children notice by their channels.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new DOMException('stopped by a signal', 'AbortError'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  const parentEnded = (): void => {
    if (!controller.signal.aborted) stop();
  };
  process.on('disconnect', parentEnded);
  // It may have ended before we listened. Without a channel there is no such property.
  if ('connected' in process && !process.connected) parentEnded();
  // Listening for its end must not keep a process alive that has nothing else to do.
  process.channel?.unref();
  return controller.signal;
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

/** Rejects with the signal's reason when it aborts; never resolves. */
export async function rejectOnAbort(signal: AbortSignal): Promise<never> {
  await aborted(signal);
  throw signal.reason;
}
