import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { masterPool } from './hot-pool.js';
import { SESSION_SETTINGS, settle } from './session-settings.js';

const CONNECT_TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 30_000;

export interface ChannelListenerHooks {
  /** Something was announced, or may have been while there was no connection. */
  readonly onNews: () => void;
  /** The connection broke or did not come about; it is tried again after so many milliseconds. */
  readonly onBroken: (error: unknown, retryMs: number) => void;
}

/** Keeps one connection that listens to a channel of Postgres (https://www.postgresql.org/docs/current/sql-listen.html). */
export class ChannelListener {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  /** @param channel a plain identifier */
  constructor(
    private readonly dataSource: DataSource,
    private readonly channel: string,
    private readonly hooks: ChannelListenerHooks,
  ) {}

  start(): void {
    this.running ??= this.run(this.stopping.signal);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(signal: AbortSignal): Promise<void> {
    for (let retryMs = FIRST_RETRY_MS; !signal.aborted; retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)) {
      let reason: unknown;
      try {
        await this.listen(signal, () => {
          retryMs = FIRST_RETRY_MS;
        });
      } catch (error) {
        reason = error;
      }
      if (signal.aborted) return;
      this.hooks.onBroken(reason, retryMs);
      // Aborted by stop; the loop's condition sees it.
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Until the connection ends. */
  private async listen(signal: AbortSignal, onListening: () => void): Promise<void> {
    const { options } = masterPool(this.dataSource);
    const { password } = options; // A pool keeps it out of what spreading copies.
    const client = new pg.Client({
      ...options,
      ...(password === undefined ? {} : { password }),
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    const end = (): void => void client.end().catch(() => undefined);
    signal.addEventListener('abort', end, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        client.once('end', resolve);
        client.on('error', reject);
        client.on('notification', () => this.hooks.onNews());
        client
          .connect()
          .then(() => settle(client, SESSION_SETTINGS))
          .then(() => client.query(`LISTEN ${this.channel}`))
          .then(() => {
            onListening();
            this.hooks.onNews();
          })
          .catch(reject);
      });
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }
}
