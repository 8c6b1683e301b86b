/**
 * `npm run fuzz:swarm -- [--seconds N] [--seed S] [--only frames|engine|parsers] [--json]`: mutated frames against the decoder, frames that
 * make sense and are hostile all the same against the engine, and twisted hellos, tickets and peer records. Whatever is wrong ends the
 * run and names the seed of its case.
 */
import { randomInt } from 'node:crypto';
import { readCommandLine, refuse, wholeNumber } from '../support/command-line.js';
import { Random } from './fuzz-sandbox-random.js';
import { EngineEpisode } from './fuzz-swarm-engine.js';
import { fuzzStream } from './fuzz-swarm-frames.js';
import { SwarmParsers } from './fuzz-swarm-parsers.js';

const SEEDS = { min: 0, max: 2 ** 32 - 1 };
const KINDS = ['frames', 'engine', 'parsers'] as const;
/** Cases of each kind in turn: an episode of the engine is hundreds of frames. */
const CASES: Readonly<Record<(typeof KINDS)[number], number>> = { frames: 200, engine: 10, parsers: 20 };

const COMMAND = {
  start: 'npm run fuzz:swarm',
  purpose: 'Mutated and hostile frames, hellos, tickets and records against the swap protocol.',
  options: {
    seconds: { type: 'string', default: '10', help: 'how long, at most 86400' },
    seed: { type: 'string', help: 'of the first case; drawn where none is given' },
    only: { type: 'string', help: `one of ${KINDS.join(', ')}; all where none is given` },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
} as const;
const { values } = readCommandLine(COMMAND);
const seconds = wholeNumber(COMMAND, 'seconds', values.seconds, { min: 1, max: 86_400 });
const kinds = KINDS.filter((kind) => values.only === undefined || values.only === kind);
if (kinds.length === 0) refuse(COMMAND, `--only must be one of ${KINDS.join(', ')}`);
const seed =
  values.seed === undefined ? randomInt(2 ** 31) : wholeNumber(COMMAND, 'seed', values.seed, SEEDS);

const parsers = new SwarmParsers();
const cases = { frames: 0, engine: 0, parsers: 0 };
const endedBy: Record<string, number> = {};
const reached: Record<string, number> = {};
const judged: Record<string, number> = {};
let acceptedFrames = 0;
let nextSeed = seed;
for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
  for (const kind of kinds) {
    for (let left = CASES[kind]; left > 0; left -= 1) {
      await runCase(kind);
      cases[kind] += 1;
      nextSeed += 1;
    }
  }
}
const report = { seed, seconds, cases, acceptedFrames, endedBy, reached, judged };
console.log(
  values.json
    ? JSON.stringify(report)
    : `${cases.frames} streams with ${acceptedFrames} accepted frames, ${cases.engine} episodes of the engine, ${cases.parsers} twisted hellos, tickets and records: no fault found (seed ${seed})`,
);

async function runCase(kind: (typeof KINDS)[number]): Promise<void> {
  const random = new Random(nextSeed);
  try {
    switch (kind) {
      case 'frames': {
        const { frames, fault } = fuzzStream(random);
        acceptedFrames += frames.length;
        count(endedBy, fault ?? 'none');
        return;
      }
      case 'engine': {
        const episode = new EngineEpisode(random);
        episode.run();
        for (const [what, times] of episode.reached) count(reached, what, times);
        return;
      }
      case 'parsers':
        count(judged, parsers.fuzzTicket(random) ? 'ticket counts' : 'ticket refused');
        count(judged, parsers.fuzzRecord(random) ? 'record counts' : 'record refused');
        count(judged, `hello: ${await parsers.fuzzHello(random)}`);
    }
  } catch (error) {
    throw new Error(`${kind}, --seed ${nextSeed} --only ${kind}`, { cause: error });
  }
}

function count(totals: Record<string, number>, what: string, times = 1): void {
  totals[what] = (totals[what] ?? 0) + times;
}
