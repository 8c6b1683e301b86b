import type { IncomingMessage, Server } from 'node:http';

/** Longest silence on a connection, in either direction. Event streams say something every 15 s. */
const SILENCE_MS = 120_000;
/** Beyond it connections are closed as they come. */
const MAX_CONNECTIONS = 16_384;

export interface ConnectionBounds {
  readonly silenceMs: number;
  readonly maxConnections: number;
}

/** Sockets that say nothing cost their owner nothing and us memory and a descriptor: they end. */
export function boundConnections(
  server: Server,
  { silenceMs, maxConnections }: ConnectionBounds = {
    silenceMs: SILENCE_MS,
    maxConnections: MAX_CONNECTIONS,
  },
): void {
  server.setTimeout(silenceMs);
  server.maxConnections = maxConnections;
}

/** Ends the connection of a request whose body has not come whole in this time: a byte now and then is no silence. */
export function requireBodyWithin(request: IncomingMessage, milliseconds: number): void {
  const timer = setTimeout(() => request.destroy(), milliseconds);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
}

/** Lets the connection be silent once the body has come: what was sent is worked on, and that may be much. */
export async function allowSilenceOnceRead<T>(request: IncomingMessage, work: () => Promise<T>): Promise<T> {
  const { socket } = request;
  const silenceMs = socket.timeout ?? 0;
  request.once('end', () => socket.setTimeout(0));
  try {
    return await work();
  } finally {
    socket.setTimeout(silenceMs);
  }
}
