import { once } from 'node:events';
import { createServer } from 'node:net';
import { CliError } from '../cli-error.js';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use',
  EACCES: 'is not ours to use',
};

/**
 * Looks before anything is made for a coordinator that could not listen there; it would find out last. Whatever else is
 * wrong with the address, the coordinator says.
 *
 * @throws {CliError} in the coordinator's words
 */
export async function requireFreePort(port: number, host: string): Promise<void> {
  const server = createServer();
  try {
    server.listen({ port, host });
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = REASONS[code];
    if (reason === undefined) return;
    throw new CliError(`port ${port} (--port, GLEANER_PORT) ${reason}: choose another, or 0 for a free one`);
  }
  server.close();
  await once(server, 'close');
}
