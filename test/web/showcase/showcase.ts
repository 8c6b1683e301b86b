import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, readConfig, startCoordinator, type Coordinator } from '@gleaner/coordinator';
import { MERSENNE_HUNT_WASM_PATH } from '@gleaner/example-mersenne-hunt';
import {
  chooseTones,
  generateTape,
  searchJob,
  seededRandom,
  SETI_CLASSIC_WASM_PATH,
} from '@gleaner/example-seti-classic';
import { repositoryRoot } from '../repository-root.js';
import { fillLedger } from './ledger.js';
import { Science } from './science.js';

/** A search that ends while one waits, and one that is in full swing. */
const SHORT_SEARCH = { fromChirp: -150, toChirp: 150, unitChirps: 25 };
const LONG_SEARCH = { fromChirp: -4000, toChirp: 4000, unitChirps: 80 };
const TONES = 4;
const TONE_POWER = 38;
const AGENTS = ['Marguerite’s laptop', 'Observatory, basement'] as const;
const AGENT_STOP_MS = 15_000;

/** An installation in the middle of its life: a ledger of three months, jobs that are done and one that is computed. */
export class Showcase implements AsyncDisposable {
  readonly #agents: ChildProcess[] = [];
  /** Tokens of the people whose machines compute here. */
  readonly volunteers: string[] = [];

  private constructor(
    private readonly directory: string,
    private readonly coordinator: Coordinator,
    readonly science: Science,
    readonly finishedJobId: string,
    private readonly search: string,
  ) {}

  get url(): string {
    return this.coordinator.url;
  }

  static async start(): Promise<Showcase> {
    const directory = await mkdtemp(join(tmpdir(), 'gleaner-showcase-'));
    // As root Postgres runs as another user, who has to pass through here.
    await chmod(directory, 0o711);
    const operatorToken = `gln_${randomBytes(32).toString('base64url')}`;
    const config = readConfig({
      GLEANER_PORT: '0',
      GLEANER_HOST: '127.0.0.1',
      GLEANER_DATA: join(directory, 'data'),
      GLEANER_LOG_LEVEL: 'error',
      GLEANER_OPERATOR_TOKEN: operatorToken,
      GLEANER_ALLOW_SAME_NETWORK: '1',
      GLEANER_ANONYMOUS_REQUESTS_PER_MINUTE: '100000',
    });
    const coordinator = await startCoordinator(config, createLogger(config.logLevel));
    await fillLedger(coordinator);
    const science = await Science.begin(coordinator.url, operatorToken, 'Jocelyn Okafor');
    const search = await science.publish('seti-classic', await readFile(SETI_CLASSIC_WASM_PATH));
    const hunt = await science.publish('mersenne-hunt', await readFile(MERSENNE_HUNT_WASM_PATH));
    const tape = await science.upload(aTape(3));
    const finished = searchJob({ name: 'One night at Arecibo', app: search, tape, ...SHORT_SEARCH });
    const finishedJobId = await science.submit(finished);
    await science.submit(aHunt(hunt));
    const showcase = new Showcase(directory, coordinator, science, finishedJobId, search);
    for (const name of AGENTS) await showcase.#startAgent(name);
    return showcase;
  }

  /** Submits the search that goes on while everything is looked at. */
  async beginLongSearch(): Promise<string> {
    const tape = await this.science.upload(aTape(4));
    return await this.science.submit(
      searchJob({ name: 'Towards the Pleiades, tape 17', app: this.search, tape, ...LONG_SEARCH }),
    );
  }

  async #startAgent(name: string): Promise<void> {
    const data = join(this.directory, name);
    const token = await this.science.volunteer(name.split(/[’,]/, 1)[0] ?? name);
    this.volunteers.push(token);
    const attaching = this.#agent(['attach', this.url, '--data', data, '--name', name, '--no-p2p'], token);
    const [code] = (await once(attaching, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${name} could not attach`);
    const limits = ['--always', '--cores', '1', '--memory', '256', '--buffer', '1'];
    this.#agents.push(this.#agent(['run', ...limits, '--data', data], token));
  }

  #agent(args: readonly string[], token: string): ChildProcess {
    const program = join(repositoryRoot(), 'apps', 'agent', 'dist', 'main.js');
    return spawn(process.execPath, [program, ...args], {
      stdio: 'ignore',
      env: { ...process.env, GLEANER_TOKEN: token },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#agents.map(stop));
    await this.coordinator.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A tape of noise with tones that the short search finds. */
function aTape(seed: number): Uint8Array {
  const tones = chooseTones({
    count: TONES,
    fromChirp: SHORT_SEARCH.fromChirp + 10,
    toChirp: SHORT_SEARCH.toChirp - 10,
    power: TONE_POWER,
    random: seededRandom(seed),
  });
  return generateTape({ seed, tones }).bytes;
}

function aHunt(app: string): object {
  return {
    name: 'Mersenne exponents up to 1300',
    app,
    split: [{ kind: 'range', name: 'p', from: 2, to: 1302, step: 65 }],
    args: ['{p.from}', '{p.to}'],
    outputs: ['stdout'],
    limits: { maxCycles: '100000000000', memoryMiB: 16 },
    replication: { quorum: 2 },
    taskDeadline: 'PT1H',
    merge: { kind: 'lines', sortBy: ['p'], unique: true },
  };
}

async function stop(agent: ChildProcess): Promise<void> {
  if (agent.exitCode !== null) return;
  const exited = once(agent, 'exit');
  agent.kill('SIGTERM');
  const killing = setTimeout(() => agent.kill('SIGKILL'), AGENT_STOP_MS);
  await exited;
  clearTimeout(killing);
}
