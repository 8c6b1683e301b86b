import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { duplexPair } from 'node:stream';
import type { Link } from './link.js';

/**
 * A link over any Node byte stream: a TCP or Unix socket, a WebSocket's stream, a pipe, a relayed stream.
 *
 * @param remotePeerId the peer id that the stream's own encryption has proven, where it has
 */
export function duplexLink(stream: Duplex, remoteAddress: string, remotePeerId?: string): Link {
  let broken: Error | undefined;
  // Without a listener an error that comes while nobody reads would end the process.
  stream.on('error', (error: Error) => {
    broken ??= error;
  });
  return {
    remotePeerId,
    remoteAddress,
    incoming: piecesOf(stream, () => broken),
    send(bytes) {
      if (broken) throw broken;
      if (stream.destroyed || stream.writableEnded) throw new Error(`the link to ${remoteAddress} is closed`);
      if (bytes instanceof Uint8Array) return stream.write(bytes);
      stream.cork();
      let hasRoom = !stream.writableNeedDrain;
      for (const piece of bytes) hasRoom = stream.write(piece);
      stream.uncork();
      return hasRoom;
    },
    async drained() {
      if (!stream.writableNeedDrain && !stream.destroyed) return;
      await new Promise<void>((resolve, reject) => {
        const settle = (): void => {
          stream.off('drain', settle);
          stream.off('close', settle);
          if (stream.destroyed) reject(broken ?? new Error(`the link to ${remoteAddress} is closed`));
          else resolve();
        };
        stream.on('drain', settle);
        stream.on('close', settle);
        if (stream.destroyed) settle();
      });
    },
    async close() {
      if (stream.writableFinished || stream.destroyed) return;
      await new Promise<void>((resolve) => {
        stream.once('finish', resolve);
        stream.once('close', () => resolve());
        stream.end();
      });
    },
    abort(reason) {
      broken ??= reason;
      stream.destroy(reason);
    },
  };
}

/** Two ends of a link in memory. */
export function memoryLinkPair(): [Link, Link] {
  const [a, b] = duplexPair();
  // A real link's other end notices when one end is destroyed.
  a.on('close', () => b.destroy(a.readableEnded ? undefined : new Error('the other end is gone')));
  b.on('close', () => a.destroy(b.readableEnded ? undefined : new Error('the other end is gone')));
  return [duplexLink(a, 'memory'), duplexLink(b, 'memory')];
}

async function* piecesOf(stream: Duplex, broken: () => Error | undefined): AsyncGenerator<Uint8Array> {
  // `destroyOnReturn: false`: who stops reading may still be sending.
  for await (const piece of stream.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(piece)) throw new TypeError('a link carries bytes');
    yield piece;
  }
  const error = broken();
  if (error) throw error;
}
