const CHANNEL = 'gleaner.volunteer';
const ANSWER_WITHIN_MS = 250;

/**
 * One tab of a browser volunteers at a time: they share a host, and its cores. Built on BroadcastChannel because Web Locks
 * are missing on plain http.
 */
export class OnlyTab {
  #channel: BroadcastChannel | null = null;

  /** Becomes the tab that volunteers; false where another one already does. */
  async claim(): Promise<boolean> {
    const channel = new BroadcastChannel(CHANNEL);
    const isTaken = await new Promise<boolean>((resolve) => {
      channel.addEventListener('message', ({ data }) => {
        if (data === 'taken') resolve(true);
      });
      setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
      channel.postMessage('who');
    });
    if (isTaken) {
      channel.close();
      return false;
    }
    channel.addEventListener('message', ({ data }) => {
      if (data === 'who') channel.postMessage('taken');
    });
    this.#channel = channel;
    return true;
  }

  release(): void {
    this.#channel?.close();
    this.#channel = null;
  }
}
