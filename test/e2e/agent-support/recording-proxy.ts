import { createServer, request, type Server } from 'node:http';
import { connect } from 'node:net';

/** An HTTP proxy that leads every request and every tunnel to one port of this machine, whatever host they name. */
export class RecordingProxy implements AsyncDisposable {
  /** Addresses of requests, and `host:port` of tunnels. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(port: number) {
    this.#server = createServer((from, to) => {
      this.asked.push(from.url ?? '');
      const onward = request({ port, method: from.method, headers: from.headers });
      onward.on('response', (answer) => answer.pipe(to.writeHead(answer.statusCode ?? 500, answer.headers)));
      onward.on('error', () => to.destroy());
      from.pipe(onward);
    });
    this.#server.on('connect', ({ url }, socket, head) => {
      this.asked.push(url ?? '');
      const onward = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.write(head);
        socket.pipe(onward).pipe(socket);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
  }

  static async to(port: number): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}
