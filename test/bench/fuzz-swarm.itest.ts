import { describe, expect, it } from 'vitest';
import { Random } from './fuzz-sandbox-random.js';
import { EngineEpisode } from './fuzz-swarm-engine.js';
import { fuzzStream } from './fuzz-swarm-frames.js';
import { SwarmParsers } from './fuzz-swarm-parsers.js';

const FIRST_SEED = 5_000;
/** Of episodes until everything has been reached, which depends on every decision of the engine. */
const EPISODES = { least: 30, most: 600 };
/** A fuzzer that reaches nothing proves nothing. */
const TO_BE_REACHED = [
  'upload',
  'check',
  'origin-fetch',
  'peers-learned',
  'bad-chunk',
  'mismatch',
  'protocol-error',
  'request-flood',
  'unsolicited-data',
  'too-many-peers',
];
const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => FIRST_SEED + index);

describe('a short run of the swarm fuzzer', () => {
  it('reads mutated frames or refuses them, however they are cut', () => {
    const faults = new Set(
      seeds(500).map((seed) => {
        return fuzzStream(new Random(seed)).fault;
      }),
    );
    expect(faults).toEqual(
      new Set([undefined, 'too-long', 'unknown-type', 'wrong-length', 'out-of-bounds', 'truncated']),
    );
  });

  it('keeps the engine within its bounds among peers that say anything', () => {
    const reached = new Set<string>();
    for (const [at, seed] of seeds(EPISODES.most).entries()) {
      if (at >= EPISODES.least && TO_BE_REACHED.every((what) => reached.has(what))) break;
      const episode = new EngineEpisode(new Random(seed));
      expect(() => episode.run(), `seed ${seed}`).not.toThrow();
      for (const what of episode.reached.keys()) reached.add(what);
    }
    expect([...reached]).toEqual(expect.arrayContaining(TO_BE_REACHED));
  });

  it('lets nobody in with a twisted hello, ticket or record', async () => {
    const parsers = new SwarmParsers();
    const verdicts = new Set<string>();
    for (const seed of seeds(60)) {
      const random = new Random(seed);
      verdicts.add(parsers.fuzzTicket(random) ? 'ticket counts' : 'ticket refused');
      verdicts.add(parsers.fuzzRecord(random) ? 'record counts' : 'record refused');
      verdicts.add(await parsers.fuzzHello(random));
    }
    const all = [
      'ticket counts',
      'ticket refused',
      'record counts',
      'record refused',
      'bad-hello',
      'bad-proof',
    ];
    expect([...verdicts]).toEqual(expect.arrayContaining(all));
  });
});
