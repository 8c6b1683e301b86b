/**
 * A duplex byte stream to one peer, whatever carries it. Bytes arrive in order and whole, or the link breaks; how they are cut
 * into pieces means nothing.
 */
export interface Link {
  /** The peer id that the transport itself has proven, where it does. */
  readonly remotePeerId: string | undefined;
  /** For logs. */
  readonly remoteAddress: string;
  /** Received pieces, to be read once. Ends when the other side has closed, throws when the link broke. */
  readonly incoming: AsyncIterable<Uint8Array>;
  /**
   * Queues bytes, or pieces that follow each other, which the caller no longer changes. Pieces of one call travel together where
   * the transport can do so.
   *
   * @returns false when the sender should wait for {@link drained} before it sends more
   * @throws {Error} when the link is closed
   */
  send(bytes: Uint8Array | readonly Uint8Array[]): boolean;
  /** Resolves when more may be sent, rejects when the link breaks first. */
  drained(): Promise<void>;
  /**
   * Delivers what was sent, waiting for the other side to read it, and ends the link. What the other side sends from then on
   * may be lost: not every transport can be half closed. Closing twice is safe.
   */
  close(): Promise<void>;
  /** Ends the link in both directions at once; aborting twice is safe. */
  abort(reason: Error): void;
}

/** Makes and accepts links. */
export interface Transport {
  /** Where others reach this host; only what the volunteer allowed to listen on. */
  readonly addresses: readonly string[];
  /** @param peerId who has to be there, as far as the transport can tell */
  dial(address: string, signal: AbortSignal, peerId?: string): Promise<Link>;
  /** Ends all links; closing twice is safe. */
  close(): Promise<void>;
}

export interface TransportEvents {
  /** Somebody else dialled. */
  readonly onLink: (link: Link) => void;
  /** Whether a peer that has proven its id may stay; everybody may when left out. */
  readonly isWelcome?: (peerId: string) => boolean;
  /** An address was found on the local network; who is there is unproven. */
  readonly onDiscovered: (peerId: string, addresses: readonly string[]) => void;
}
