import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { EXIT } from '../exit-codes.js';
import { introduce } from './introduce.js';

it('a coordinator that lets everybody wait is not there: nobody is asked to agree to anything', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await expect(introduce(new URL(`http://127.0.0.1:${port}`), 200)).rejects.toMatchObject({
      message: `http://127.0.0.1:${port} cannot be reached (no answer within 0.2 s)`,
      exitCode: EXIT.coordinatorUnreachable,
    });
  } finally {
    silent.close();
  }
});
