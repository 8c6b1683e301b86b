import type { FastifyReply } from 'fastify';

/** A reader that is this far behind when there is news is cut off: it reconnects and gets the newest state. */
const BEHIND_BYTES_MAX = 64 * 1024;

/** One client's stream of server-sent events (WHATWG HTML §9.2), which costs no more than {@link BEHIND_BYTES_MAX} and one event. */
export class EventStream {
  /** Takes over the reply: nothing else may be sent with it. */
  static open(reply: FastifyReply, reconnectAfterMs: number): EventStream {
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    const stream = new EventStream(reply.raw);
    // Node would keep the headers until there is a body, which never comes.
    if (reply.request.method === 'HEAD') stream.end();
    stream.write(`retry: ${reconnectAfterMs}\n\n`);
    return stream;
  }

  private constructor(private readonly response: FastifyReply['raw']) {}

  /** @param text whole events or comments, each with its empty line */
  write(text: string): void {
    if (this.response.writableEnded || this.response.destroyed) return;
    // What the kernel has not taken of earlier events: nobody reads at the other end, or far more slowly than things happen.
    if (this.response.writableLength > BEHIND_BYTES_MAX) this.response.destroy();
    else this.response.write(text);
  }

  end(): void {
    this.response.end();
  }

  onceClosed(listener: () => void): void {
    if (this.response.closed) listener();
    else this.response.once('close', listener);
  }
}

/** One event as it goes over the wire; whoever comes back with its `id` has seen it. */
export interface StreamEvent {
  readonly id: string;
  readonly text: string;
}

export function streamEvent(id: string, name: string, data: unknown): StreamEvent {
  return { id, text: `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n` };
}

/** Keeps proxies from closing a silent stream. */
export const KEEP_ALIVE_COMMENT = ': still here\n\n';
