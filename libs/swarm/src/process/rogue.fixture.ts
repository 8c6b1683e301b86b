import { authenticateLink, type PeerIdentity, type ShownCertificate, type TrustRoot } from '../auth/index.js';
import { encodeFrame, FrameDecoder, type Frame } from '../frames/index.js';
import type { Link } from '../links/index.js';

type FrameOf<T extends Frame['type']> = Extract<Frame, { type: T }>;

/** An enrolled host that says whatever it likes once it has been let in. */
export class Rogue {
  readonly heard: Frame[] = [];
  /** Resolves when the other side has ended the link. */
  readonly ended: Promise<void>;
  #wake: () => void = () => undefined;

  private constructor(
    private readonly link: Link,
    incoming: AsyncIterable<Uint8Array>,
  ) {
    this.ended = this.#listen(incoming);
  }

  static async meet(
    link: Link,
    init: { identity: PeerIdentity; certificate: ShownCertificate; trust: TrustRoot },
  ): Promise<Rogue> {
    const { reader } = await authenticateLink(link, 'dialer', init);
    return new Rogue(link, reader);
  }

  /** Sends frames, or bytes that are none. What comes after the link was ended is lost. */
  say(...words: ReadonlyArray<Frame | Uint8Array>): void {
    try {
      for (const word of words) this.link.send(word instanceof Uint8Array ? word : encodeFrame(word));
    } catch {
      // The victim has had enough already.
    }
  }

  close(): Promise<void> {
    return this.link.close();
  }

  /** Waits for a frame of this type; rejects when the link ends before. */
  async hears<T extends Frame['type']>(type: T): Promise<FrameOf<T>> {
    for (;;) {
      const frame = this.heard.find((heard): heard is FrameOf<T> => heard.type === type);
      if (frame) return frame;
      const more = new Promise<'more'>((resolve) => {
        this.#wake = () => resolve('more');
      });
      if ((await Promise.race([more, this.ended])) !== 'more') throw new Error(`ended before any ${type}`);
    }
  }

  async #listen(incoming: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new FrameDecoder();
    try {
      for await (const piece of incoming) {
        this.heard.push(...decoder.push(piece));
        this.#wake();
      }
    } catch {
      // Broken off is ended, too.
    }
  }
}
