/**
 * Aborts at the first SIGINT, SIGTERM or SIGHUP, or when the parent that started us with an IPC channel has ended, however it
 * ended; the reason names the cause. A second signal ends the process at once.
 *
 * @param secondExitCode of a process that is told twice
 */
export function listenForStop(secondExitCode: number): AbortSignal {
  const controller = new AbortController();
  const stop = (cause: string): void => {
    if (controller.signal.aborted) process.exit(secondExitCode);
    controller.abort(cause);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop(signal);
    });
  }
  const parentEnded = (): void => {
    if (!controller.signal.aborted) stop('the parent process ended');
  };
  process.on('disconnect', parentEnded);
  // It may have ended before we listened. Without a channel there is no such property.
  if ('connected' in process && !process.connected) parentEnded();
  // Listening for its end must not keep a process alive that has nothing else to do.
  process.channel?.unref();
  return controller.signal;
}
