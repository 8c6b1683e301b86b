import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import {
  isError,
  isReply,
  messageLength,
  parseQueryExtension,
  parseQueryInfo,
  parseSetup,
  queryExtensionRequest,
  queryInfoRequest,
  setupLength,
  setupRequest,
} from './x11-messages.js';
import type { XCookie } from './xauthority.js';

/** A setup answer lists every screen and visual: tens of KiB. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** One connection to an X server that asks for the time since the last input; ends with the server. */
export class X11IdleConnection {
  #buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #failure: Error | null = null;
  #rootWindow = 0;
  #majorOpcode = 0;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (bytes) => {
      this.#buffer = Buffer.concat([this.#buffer, bytes]);
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#fail(error);
    });
    socket.on('close', () => {
      this.#fail(new Error('the X server closed the connection'));
    });
    // An open connection keeps nobody's program alive; who waits for an answer stays for it.
    socket.unref();
  }

  /** Rejects when there is no server, it refuses, or it has no screen saver extension. */
  static async open(
    address: NetConnectOpts,
    cookie: XCookie | undefined,
    signal: AbortSignal,
  ): Promise<X11IdleConnection> {
    const connection = new X11IdleConnection(createConnection(address));
    const abort = (): void => {
      connection.close();
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      connection.socket.write(setupRequest(cookie));
      connection.#rootWindow = parseSetup(await connection.#take(setupLength)).rootWindow;
      connection.#majorOpcode = parseQueryExtension(
        await connection.#ask(queryExtensionRequest()),
      ).majorOpcode;
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Milliseconds since the last input. One question at a time. */
  async idleMs(): Promise<number> {
    return parseQueryInfo(await this.#ask(queryInfoRequest(this.#majorOpcode, this.#rootWindow)));
  }

  close(): void {
    this.socket.destroy();
  }

  async #ask(request: Buffer): Promise<Buffer> {
    if (this.#failure) throw this.#failure;
    this.socket.write(request);
    for (;;) {
      const message = await this.#take(messageLength);
      if (isReply(message)) return message;
      if (isError(message)) throw new Error(`the X server answered error ${message.readUInt8(1)}`);
    }
  }

  async #take(lengthOf: (bytes: Buffer) => number | undefined): Promise<Buffer> {
    for (;;) {
      const length = lengthOf(this.#buffer);
      if (length !== undefined && length > MAX_MESSAGE_BYTES) {
        this.close();
        throw new RangeError(`the X server announced ${length} bytes`);
      }
      if (length !== undefined && this.#buffer.length >= length) {
        const message = this.#buffer.subarray(0, length);
        this.#buffer = this.#buffer.subarray(length);
        return message;
      }
      if (this.#failure) throw this.#failure;
      this.socket.ref();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.socket.unref();
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}
