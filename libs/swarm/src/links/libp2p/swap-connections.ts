import type { Connection, MultiaddrConnection, Stream } from '@libp2p/interface';

/** A connection that opens no link, or lets its last one go, is of no use; strangers must not hold the places of others with it. */
const UNUSED_MS = 15_000;
/** Many volunteers may share one address, but not take all the places of others. */
const MAX_CONNECTIONS_PER_ADDRESS = 64;
/** Connections of which neither encryption nor the peer's key is agreed on yet. */
export const MAX_PENDING_CONNECTIONS = 64;
/** Who says nothing holds its place for as long as that may take: one address leaves as many to others. */
const MAX_PENDING_PER_ADDRESS = MAX_PENDING_CONNECTIONS / 2;

/** Connections live as long as their links: what ends a link for good ends the connection under it. */
export class SwapConnections {
  readonly #links = new Map<Connection, Set<Stream>>();
  readonly #timers = new Map<Connection, NodeJS.Timeout>();
  /** Addresses with ports. */
  readonly #pending = new Set<string>();

  /** @param unusedMs how long a connection may be open without a link */
  constructor(private readonly unusedMs = UNUSED_MS) {}

  /** Whether another connection from this address is one too many; takes note of one that is not. */
  isCrowded(incoming: MultiaddrConnection): boolean {
    const host = hostOf(incoming.remoteAddr.toString());
    let count = 0;
    for (const connection of this.#timers.keys())
      if (hostOf(connection.remoteAddr.toString()) === host) count += 1;
    let pending = 0;
    for (const place of this.#pending) if (hostOf(place) === host) pending += 1;
    if (count >= MAX_CONNECTIONS_PER_ADDRESS || pending >= MAX_PENDING_PER_ADDRESS) return true;
    const place = placeOf(incoming);
    this.#pending.add(place);
    incoming.addEventListener('close', () => this.#pending.delete(place));
    return false;
  }

  opened(connection: Connection): void {
    this.#pending.delete(placeOf(connection));
    const timer = setTimeout(() => {
      if (!this.#links.has(connection)) connection.abort(new Error('no link was opened'));
    }, this.unusedMs);
    this.#timers.set(connection, timer.unref());
  }

  closed(connection: Connection): void {
    clearTimeout(this.#timers.get(connection));
    this.#timers.delete(connection);
    this.#links.delete(connection);
  }

  /** Takes note of a link's stream; with the last one of a connection, that ends too. */
  carry(connection: Connection, stream: Stream): void {
    const streams = this.#links.get(connection) ?? new Set();
    this.#links.set(connection, streams.add(stream));
    stream.addEventListener('close', ({ error }) => {
      streams.delete(stream);
      if (streams.size > 0) return;
      this.#links.delete(connection);
      if (error) connection.abort(error);
      else connection.close().catch((reason: unknown) => connection.abort(errorOf(reason)));
    });
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** `/ip4/192.0.2.1` of `/ip4/192.0.2.1/tcp/4001`. */
function hostOf(address: string): string {
  return address.split('/', 3).join('/');
}

/** `/ip4/192.0.2.1/tcp/4001`, whatever else an address says. */
function placeOf({ remoteAddr }: Pick<Connection, 'remoteAddr'>): string {
  return remoteAddr.toString().split('/', 5).join('/');
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
