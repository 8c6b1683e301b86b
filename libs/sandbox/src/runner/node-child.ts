/** Entry of the sandbox process; see {@link SandboxProcess}, which starts it. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { checkpointFiles } from './checkpoint-file.js';
import { DiskSource } from './disk-source.js';
import type { SandboxReply, SandboxRequest } from './messages.js';
import { SandboxLoop } from './sandbox-loop.js';

const loop = new SandboxLoop({
  send,
  readModule: (source) => (source.kind === 'bytes' ? source.bytes : readFileSync(source.path)),
  sha256Hex: (bytes) => hash('sha256', bytes, 'hex'),
  openFiles: ({ pieces }) => new DiskSource(pieces),
  checkpoints: checkpointFiles,
  cpuMs,
  // Node has told the threads apart since version 23.9.
  ...('threadCpuUsage' in process
    ? { otherThreadsCpuMs: () => cpuMs() - millisecondsOf(process.threadCpuUsage()) }
    : {}),
  collectGarbage: () => {
    globalThis.gc?.({ type: 'major' });
    // Waits until other threads have freed what the first one has found.
    globalThis.gc?.({ type: 'minor' });
  },
  yield: () => setImmediate(),
});

// Ctrl-C reaches the whole terminal group: the parent decides what becomes of the work, and the channel tells.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
// Only the parent that started this process can write here, and both are built from one source.
process.on('message', (request) => loop.receive(request as SandboxRequest));
send({ type: 'ready' });

function cpuMs(): number {
  return millisecondsOf(process.cpuUsage());
}

function millisecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

function send(reply: SandboxReply): void {
  process.send?.(reply);
}
