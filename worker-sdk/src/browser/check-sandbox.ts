import { SandboxWorker } from '@gleaner/sandbox/browser';

/**
 * Finds out whether this page can compute at all: starts a sandbox, and ends it. Its program is a file of its own, which is
 * gone where the site has got another version since the page was loaded; every task would fail here then.
 *
 * @throws {Error} that says what to do, or the signal's reason
 */
export async function checkSandbox(signal: AbortSignal): Promise<void> {
  const stopped = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => stopped.reject(signal.reason));
  const checked = SandboxWorker.start().then((sandbox) => sandbox.close());
  try {
    await Promise.race([checked, stopped.promise]);
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`This page cannot compute (${reason}). Load it anew, then start again.`, {
      cause: error,
    });
  }
}
