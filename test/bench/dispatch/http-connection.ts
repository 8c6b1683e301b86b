import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

export interface RawResponse {
  readonly status: number;
  readonly body: string;
}

/**
 * One keep-alive HTTP/1.1 connection with one request at a time. Written by hand because Node's own client costs about as
 * much processor time as the coordinator does; it understands responses with Content-Length and nothing else.
 */
export class HttpConnection {
  private socket: Socket | null = null;
  private received: Buffer[] = [];
  private receivedBytes = 0;
  private expectedBytes = -1;
  private waiting: PromiseWithResolvers<RawResponse> | null = null;

  constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  /** @throws {Error} when the connection breaks before the response is complete */
  send(request: string): Promise<RawResponse> {
    if (this.waiting) throw new Error('the connection is busy');
    this.waiting = Promise.withResolvers<RawResponse>();
    this.socket ??= this.open();
    this.socket.write(request);
    return this.waiting.promise;
  }

  close(): void {
    this.socket?.destroy();
  }

  private open(): Socket {
    const socket = connect({ host: this.host, port: this.port, noDelay: true });
    socket.on('data', (data) => this.receive(data));
    const broken = (error?: Error): void => {
      if (this.socket === socket) this.socket = null;
      this.reset();
      const { waiting } = this;
      this.waiting = null;
      waiting?.reject(error ?? new Error('the connection was closed'));
    };
    socket.on('error', broken);
    socket.on('close', () => broken());
    return socket;
  }

  private receive(data: Buffer): void {
    this.received.push(data);
    this.receivedBytes += data.length;
    if (this.expectedBytes < 0) this.expectedBytes = responseBytes(Buffer.concat(this.received));
    if (this.expectedBytes < 0 || this.receivedBytes < this.expectedBytes) return;
    const text = (this.received.length === 1 ? data : Buffer.concat(this.received)).toString('utf8');
    this.reset();
    const { waiting } = this;
    this.waiting = null;
    waiting?.resolve({
      status: Number(text.slice(9, 12)),
      body: text.slice(text.indexOf(HEAD_END) + HEAD_END.length),
    });
  }

  private reset(): void {
    this.received = [];
    this.receivedBytes = 0;
    this.expectedBytes = -1;
  }
}

/** Bytes of the whole response, or -1 while its head is incomplete. */
function responseBytes(start: Buffer): number {
  const end = start.indexOf(HEAD_END);
  if (end < 0) return -1;
  const head = start.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`a response without Content-Length: ${head}`);
  return end + HEAD_END.length + Number(length);
}
