import { createServer, type RequestListener, type Server } from 'node:http';

/** For tests: somebody who answers as the test says, at an address of this machine. */
export class LoopbackServer implements AsyncDisposable {
  private constructor(private readonly server: Server) {}

  static async open(listener: RequestListener): Promise<LoopbackServer> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new LoopbackServer(server);
  }

  get url(): URL {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen any more');
    return new URL(`http://127.0.0.1:${address.port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
