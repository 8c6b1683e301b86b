import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy before a coordinator, with a prefix before every path, that can keep what is uploaded from getting there. */
export class Forwarder implements AsyncDisposable {
  /** Bytes of parts of uploads that it has passed on. */
  passedBytes = 0;
  /** Where it stops passing on parts. */
  holdAtBytes = Number.POSITIVE_INFINITY;
  /** The call whose answer gets lost on its way back, such as `POST /v1/jobs`. */
  losesAnswerTo: string | null = null;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(coordinatorUrl: string, prefix = ''): Promise<Forwarder> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A server that listens on a port has an address that is no path.
    const { port } = server.address() as AddressInfo;
    const forwarder = new Forwarder(server, `http://127.0.0.1:${port}${prefix}/`);
    forwarder.#passOn(coordinatorUrl, prefix);
    return forwarder;
  }

  #passOn(coordinatorUrl: string, prefix: string): void {
    this.server.on('request', (request, response) => {
      const { method, headers, url = '/' } = request;
      const path = url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : '/nothing';
      const onward = httpRequest(new URL(path, coordinatorUrl), { method, headers }, (answer) => {
        if (`${method} ${path}` === this.losesAnswerTo) {
          answer.resume().on('end', () => response.destroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      request.on('close', () => {
        if (!request.complete) onward.destroy();
      });
      if (method !== 'PATCH') {
        request.pipe(onward);
        return;
      }
      request.on('data', (bytes: Buffer) => {
        this.passedBytes += bytes.length;
        onward.write(bytes);
        if (this.passedBytes >= this.holdAtBytes) request.pause();
      });
      request.on('end', () => onward.end());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
