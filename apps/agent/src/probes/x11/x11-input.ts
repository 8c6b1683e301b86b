import { listDisplays, readCookie, type XDisplay } from './displays.js';
import { X11IdleConnection } from './x11-idle-connection.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Time since the last input on any X display that lets this user in. Servers come and go; connections are kept. */
export class X11Input {
  readonly #connections = new Map<number, X11IdleConnection>();

  constructor(private readonly environment: Environment = process.env) {}

  /** Milliseconds; null when no display answers. */
  async inputAgeMs(signal: AbortSignal): Promise<number | null> {
    const ages: number[] = [];
    for (const display of listDisplays(this.environment)) {
      const age = await this.#askDisplay(display, signal);
      if (age !== null) ages.push(age);
    }
    return ages.length === 0 ? null : Math.min(...ages);
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  async #askDisplay(display: XDisplay, signal: AbortSignal): Promise<number | null> {
    const abort = (): void => {
      this.#connections.get(display.number)?.close();
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await (await this.#connect(display, signal)).idleMs();
    } catch {
      this.#connections.get(display.number)?.close();
      this.#connections.delete(display.number);
      return null;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #connect(display: XDisplay, signal: AbortSignal): Promise<X11IdleConnection> {
    const open = this.#connections.get(display.number);
    if (open) return open;
    const cookie = readCookie(this.environment, display.number);
    const connection = await X11IdleConnection.open(display.address, cookie, signal);
    this.#connections.set(display.number, connection);
    return connection;
  }
}
