// Volunteers the idle moments of a program of your own: while it has work, the worker holds still where it is.
//
//   node embed.mjs https://gleaner.example ./volunteer
//
// Here the "program" is a queue that is busy for a second now and then; put yours in its place.
import { readFile, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  attachHost,
  completePolicy,
  createWorker,
  describeCoordinator,
  describeHost,
} from '@gleaner/worker-sdk';

const [coordinator, directory = './volunteer'] = process.argv.slice(2);
if (coordinator === undefined) {
  console.error('usage: node embed.mjs COORDINATOR [DIRECTORY]');
  process.exit(2);
}
// What you offer: one core, and no more than this much memory for a task.
const policy = completePolicy({ cores: 1, memoryMiB: 256 });
const idle = { cores: 1, dutyCycle: 1, memoryMiB: null, reason: 'computing: the program has nothing to do' };
const busy = { cores: 0, dutyCycle: 1, memoryMiB: null, reason: 'paused: the program is at work' };

const { name, operator } = await describeCoordinator(coordinator, AbortSignal.timeout(10_000));
console.log(`volunteering for ${name}, run by ${operator.name}`);

const worker = createWorker({
  coordinator,
  credentials: { token: await token() },
  dataDirectory: directory,
  policy,
});
worker.on('status', ({ phase, reason }) => console.log(`${phase}: ${reason}`));
worker.on('task-finished', ({ app, outcome, cycles }) =>
  console.log(`finished ${app}: ${outcome}, ${cycles} cycles`),
);
worker.on('stopped', ({ error }) => {
  process.exitCode = error ? 1 : 0;
  clearInterval(work);
});
await worker.start();

// The program: at work for a second of every ten.
const work = setInterval(() => {
  worker.allow(busy);
  setTimeout(() => worker.allow(idle), 1_000);
}, 10_000);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void worker.stop());

/** The token of this host: kept from last time, or got by joining without an account, which can be claimed later. */
async function token() {
  const file = join(directory, 'token');
  try {
    return await readFile(file, 'utf8');
  } catch {
    const facts = describeHost(policy, 'embed 1.0.0');
    const { secret } = await attachHost({ coordinator, facts }, AbortSignal.timeout(30_000));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(file, secret, { mode: 0o600 });
    return secret;
  }
}
