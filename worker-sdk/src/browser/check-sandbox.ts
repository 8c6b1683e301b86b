import { SandboxWorker } from '@gleaner/sandbox/browser';

/** The smallest module: its magic number and its version. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/**
 * Finds out whether this page can compute at all: starts a sandbox, and ends it. Its program is a file of its own, which is
 * gone where the site has got another version since the page was loaded; every task would fail here then.
 *
 * @throws {Error} that says what to do, or the signal's reason
 */
export async function checkSandbox(signal: AbortSignal): Promise<void> {
  if (!isWebAssemblyAllowed()) {
    throw new Error(
      'This browser does not allow WebAssembly here, as where a security setting or whoever manages the computer has switched it off, ' +
        'and nothing can be computed without it. Allow it for this site, or take another browser.',
    );
  }
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

function isWebAssemblyAllowed(): boolean {
  try {
    return new WebAssembly.Module(EMPTY_MODULE) instanceof WebAssembly.Module;
  } catch {
    // There is none at all, or it compiles nothing.
    return false;
  }
}
