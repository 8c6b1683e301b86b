const NAME = 'gleaner.volunteer';
const ANSWER_WITHIN_MS = 250;

interface Message {
  readonly kind: 'who' | 'taken';
  /** Of the tab that asks; the smaller one wins where two ask at the same time. */
  readonly id: string;
}

/**
 * One tab of a browser volunteers at a time: they share a host, and its cores. A Web Lock where there are any; on plain http
 * there are none, and tabs ask each other by BroadcastChannel.
 */
export class OnlyTab {
  #letGo: (() => void) | null = null;

  /** Becomes the tab that volunteers; false where another one already does. */
  async claim(): Promise<boolean> {
    if (this.#letGo) return true;
    // Missing outside of secure contexts, whatever the types say.
    const locks = navigator.locks as LockManager | undefined;
    this.#letGo = await (locks ? takeLock(locks) : askOthers());
    return this.#letGo !== null;
  }

  release(): void {
    this.#letGo?.();
    this.#letGo = null;
  }
}

/** @returns what lets go of the lock; null where another tab has it */
async function takeLock(locks: LockManager): Promise<(() => void) | null> {
  const { promise, resolve } = Promise.withResolvers<(() => void) | null>();
  void locks.request(NAME, { ifAvailable: true }, async (lock) => {
    if (!lock) {
      resolve(null);
      return;
    }
    const held = Promise.withResolvers<void>();
    resolve(() => held.resolve());
    await held.promise;
  });
  return await promise;
}

async function askOthers(): Promise<(() => void) | null> {
  const channel = new BroadcastChannel(NAME);
  const id = `${Math.random()}`;
  let isMine = false;
  const isTaken = await new Promise<boolean>((resolve) => {
    channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if (data.kind === 'taken') resolve(true);
      else if (isMine || id < data.id) channel.postMessage({ kind: 'taken', id } satisfies Message);
    });
    setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
    channel.postMessage({ kind: 'who', id } satisfies Message);
  });
  if (isTaken) {
    channel.close();
    return null;
  }
  isMine = true;
  return () => channel.close();
}
