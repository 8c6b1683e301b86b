/** Entry of the sandbox's Web Worker; see {@link SandboxWorker}, which starts it. */
import type { SandboxReply, SandboxRequest } from '../runner/messages.js';
import { SandboxLoop } from '../runner/sandbox-loop.js';
import { sha256HexOf } from '../runner/sha256.js';

declare const self: DedicatedWorkerGlobalScope;

const turns = new MessageChannel();
turns.port1.start();

const loop = new SandboxLoop({
  send,
  readModule: (source) => {
    if (source.kind === 'bytes') return source.bytes;
    throw new TypeError('a browser takes modules as bytes, not as files');
  },
  sha256Hex: sha256HexOf,
  openFiles: () => {
    throw new TypeError('a browser takes inputs as bytes or pieces, not as files');
  },
  // Browsers do not tell a worker's CPU time.
  cpuMs: () => performance.now(),
  // A timer would wait 4 ms each time.
  yield: () =>
    new Promise((resolve) => {
      turns.port1.addEventListener('message', () => resolve(), { once: true });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- ports have no origin
      turns.port2.postMessage(null);
    }),
});

// Only the page that started this worker can write here, and both are built from one source.
self.addEventListener('message', ({ data }: MessageEvent<SandboxRequest>) => loop.receive(data));
send({ type: 'ready' });

function send(reply: SandboxReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's page has no other origin
  self.postMessage(reply);
}
