/** Statuses of programs that a signal ended, as shells show them. */
const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Starts something, uses it and ends it, also where the program is interrupted meanwhile (SIGINT, SIGTERM): then the program ends
 * after it. A second signal ends the program at once.
 */
export async function useUntilInterrupted<T>(
  start: () => Promise<T>,
  use: (started: T) => Promise<void>,
  end: (started: T) => Promise<void>,
): Promise<void> {
  let status: number | null = null;
  const interrupted = Promise.withResolvers<void>();
  const onSignal = (signal: keyof typeof STATUS): void => {
    if (status !== null) process.exit(status);
    status = STATUS[signal];
    interrupted.resolve();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const started = await start();
  try {
    await Promise.race([status === null ? use(started) : null, interrupted.promise]);
  } finally {
    await end(started);
  }
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  if (status !== null) process.exit(status);
}
