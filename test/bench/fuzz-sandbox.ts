/**
 * `npm run fuzz:sandbox -- [--seconds N] [--seed S] [--json]`: mutated modules must be refused with a reason or admitted,
 * never crash or hang admission; random programs must give the same results and cycles with and without each option
 * of the rewriter, equal to a count of their own, and the same bits in both tiers of the engine. Ends with
 * `N passed, N failed`. A failure names its seed.
 */
import { Worker } from 'node:worker_threads';
import { readCommandLine, wholeNumber } from '../support/command-line.js';
import type { FuzzMessage, FuzzSettings, FuzzTotals } from './fuzz-sandbox-worker.js';

const HANG_MS = 60_000;
const SHOWN_FAILURES = 10;
const SEEDS = { min: 0, max: 2 ** 32 - 1 };

const COMMAND = {
  start: 'npm run fuzz:sandbox',
  purpose: 'Mutated modules and random programs against admission, rewriter and both tiers of the engine.',
  options: {
    seconds: { type: 'string', default: '60', help: 'how long' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000), help: 'of the first case' },
    json: { type: 'boolean', default: false, help: 'print a line of JSON before the last' },
  },
} as const;
const { values } = readCommandLine(COMMAND);
const settings = {
  seconds: wholeNumber(COMMAND, 'seconds', values.seconds, { min: 1, max: 86_400 }),
  seed: wholeNumber(COMMAND, 'seed', values.seed, SEEDS),
};
const totals = await fuzzInWorker(settings);
const failed = totals.failures;
const passed = totals.mutations + totals.programs - failed;
if (values.json) console.log(JSON.stringify({ ...settings, ...totals }));
else
  console.log(
    `seed ${settings.seed}: ${totals.mutations} mutated modules (admitted: ${admittedText()}), ${totals.programs} programs`,
  );
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function admittedText(): string {
  const { command, stepping, functions } = totals.admitted;
  return `${command} commands, ${stepping} stepping apps, ${functions} of functions alone`;
}

/** A hang is seen from outside: the worker tells each case before it runs. */
function fuzzInWorker(workerData: FuzzSettings): Promise<FuzzTotals> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./fuzz-sandbox-worker.js', import.meta.url), { workerData });
    let seed = workerData.seed;
    let shown = 0;
    const startWatch = () =>
      setTimeout(() => {
        void worker.terminate();
        reject(new Error(`the case of seed ${seed} hangs`));
      }, HANG_MS);
    let watch = startWatch();
    worker.on('message', (message: FuzzMessage) => {
      clearTimeout(watch);
      if (message.kind === 'done') return resolve(message.totals);
      watch = startWatch();
      if (message.kind === 'at') seed = message.seed;
      else if (shown++ < SHOWN_FAILURES)
        console.error(`FAILED ${message.what} of seed ${message.seed}: ${message.message}`);
    });
    worker.on('error', reject);
  });
}
