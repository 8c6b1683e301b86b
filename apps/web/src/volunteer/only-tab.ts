const NAME = 'gleaner.volunteer';
const ANSWER_WITHIN_MS = 250;

interface Message {
  readonly kind: 'who' | 'taken';
  /** Of the tab that asks; the smaller one wins where two ask at the same time. */
  readonly id: string;
}

/**
 * One tab of a browser volunteers at a time: they share a host, and its cores. A Web Lock where there are any; there are none
 * on plain http, nor where the browser is to keep nothing that sites store: tabs ask each other by BroadcastChannel.
 */
export class OnlyTab {
  #letGo: (() => void) | null = null;

  /** Becomes the tab that volunteers; false where another one already does. */
  async claim(): Promise<boolean> {
    if (this.#letGo) return true;
    this.#letGo = await takeLock().catch(askOthers);
    return this.#letGo !== null;
  }

  release(): void {
    this.#letGo?.();
    this.#letGo = null;
  }
}

/**
 * @returns what lets go of the lock; null where another tab has it
 * @throws whatever the browser does where it has no locks for this page
 */
async function takeLock(): Promise<(() => void) | null> {
  const { promise, resolve, reject } = Promise.withResolvers<(() => void) | null>();
  const asked = navigator.locks.request(NAME, { ifAvailable: true }, async (lock) => {
    if (!lock) {
      resolve(null);
      return;
    }
    const held = Promise.withResolvers<void>();
    resolve(() => held.resolve());
    await held.promise;
  });
  asked.catch(reject);
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
