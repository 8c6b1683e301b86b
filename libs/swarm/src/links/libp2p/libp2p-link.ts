import type { Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import type { Link } from '../link.js';

/** Received bytes that wait for the reader before the peer is asked to pause: a window, as a resumption costs a round trip. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** A link over one libp2p stream, whose connection has proven the peer id by Noise. */
export function libp2pLink(stream: Stream, remotePeerId: string, remoteAddress: string): Link {
  let broken: Error | undefined;
  let isClosing = false;
  stream.addEventListener('close', (event) => {
    broken ??= event.error;
  });
  return {
    remotePeerId,
    remoteAddress,
    incoming: new StreamPieces(stream),
    send(bytes) {
      if (broken) throw broken;
      if (isClosing) throw new Error(`the link to ${remoteAddress} is closed`);
      // One list is one frame of yamux and as few messages of Noise as its size allows.
      return stream.send(bytes instanceof Uint8Array ? bytes : new Uint8ArrayList(...bytes));
    },
    async drained() {
      if (broken) throw broken;
      if (isClosing || stream.status !== 'open') throw new Error(`the link to ${remoteAddress} is closed`);
      if (stream.writableNeedsDrain) await stream.onDrain();
    },
    async close() {
      if (isClosing || stream.status !== 'open') return;
      isClosing = true;
      await stream.close();
    },
    abort(reason) {
      broken ??= reason;
      isClosing = true;
      stream.abort(reason);
    },
  };
}

/** Received pieces at the reader's pace: the stream's own iterator reads ahead without a bound. */
class StreamPieces implements AsyncIterable<Uint8Array> {
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #isEnded = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(private readonly stream: Stream) {
    stream.addEventListener('message', ({ data }) => {
      for (const piece of data instanceof Uint8Array ? [data] : data) this.#waiting.push(piece);
      this.#waitingBytes += data.byteLength;
      if (this.#waitingBytes > MAX_WAITING_BYTES) this.#pause();
      this.#wake();
    });
    // What the peer sent before it closed is at most a window; it has to come out before the stream is gone.
    stream.addEventListener('remoteCloseWrite', () => this.#resume());
    stream.addEventListener('end', () => this.#end(undefined));
    stream.addEventListener('close', ({ error }) => this.#end(error));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece) {
        this.#waitingBytes -= piece.length;
        if (this.#waitingBytes <= MAX_WAITING_BYTES / 2) this.#resume();
        yield piece;
      } else if (this.#error) {
        throw this.#error;
      } else if (this.#isEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #pause(): void {
    if (
      this.#isPaused ||
      this.stream.readStatus !== 'readable' ||
      this.stream.remoteWriteStatus !== 'writable'
    )
      return;
    this.#isPaused = true;
    this.stream.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.stream.readStatus === 'paused') this.stream.resume();
  }

  #end(error: Error | undefined): void {
    this.#isEnded = true;
    this.#error ??= error;
    this.#wake();
  }
}
