const MAX_ADDRESSES = 1000;

/** Who was met last at an address: a host becomes another peer every day, and its old records stay around. */
export class MetPeers {
  readonly #peers = new Map<string, string>();

  /** The peer that is known to be at this address. */
  at(address: string): string | undefined {
    return this.#peers.get(address);
  }

  note(address: string, peerId: string): void {
    this.#peers.delete(address);
    this.#peers.set(address, peerId);
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > MAX_ADDRESSES && oldest !== undefined) this.#peers.delete(oldest);
  }
}
