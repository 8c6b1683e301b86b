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
const FEW_TONES = 4;
/** All over it: whoever looks for a while sees one. */
const MANY_TONES = 12;
const TONE_POWER = 38;
const AGENTS = ['Marguerite’s laptop', 'Observatory, basement'] as const;
const AGENT_STOP_MS = 15_000;

/** An installation in the middle of its life: a ledger of three months, jobs that are done and one that is computed. */
export class Showcase implements AsyncDisposable {
  readonly #agents: ChildProcess[] = [];
  /** Tokens of the people whose machines compute here. */
  readonly volunteers: string[] = [];
  finishedJobId = '';
  /** A job that cannot go on, for its scientist to see why. */
  failedJobId = '';

  private constructor(
    private readonly directory: string,
    private readonly coordinator: Coordinator,
    readonly science: Science,
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
    const showcase = new Showcase(directory, coordinator, science, search);
    try {
      for (const name of AGENTS) await showcase.#startAgent(name);
      await showcase.#submitJobs(hunt);
      const [first = '', second = ''] = showcase.volunteers;
      await science.joinTeam(first, '1');
      await science.leaveDecisions(second);
      return showcase;
    } catch (error) {
      await showcase[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #submitJobs(hunt: string): Promise<void> {
    const { science, search } = this;
    // Enough for the first unit alone: a job all of whose units failed would end, and not wait for its scientist.
    const tooFew = { name: 'Mersenne exponents up to 300', to: 302, step: 30, maxCycles: '300000' };
    this.failedJobId = await science.submit(aHunt(hunt, tooFew));
    await science.reached(this.failedJobId, ({ state }) => state === 'paused');
    const tape = await science.upload(aTape(3, FEW_TONES, SHORT_SEARCH));
    this.finishedJobId = await science.submit(
      searchJob({ name: 'One night at Arecibo', app: search, tape, ...SHORT_SEARCH }),
    );
    await science.submit(aHunt(hunt, { name: 'Mersenne exponents up to 1300', to: 1302, step: 65 }));
    await science.reached(this.finishedJobId, ({ state }) => state === 'completed');
  }

  /** Submits the search that goes on while everything is looked at. */
  async beginLongSearch(): Promise<string> {
    const tape = await this.science.upload(aTape(4, MANY_TONES, LONG_SEARCH));
    return await this.science.submit(
      searchJob({ name: 'Towards the Pleiades, tape 17', app: this.search, tape, ...LONG_SEARCH }),
    );
  }

  async #startAgent(name: string): Promise<void> {
    const data = join(this.directory, name);
    const token = await this.science.volunteer(name.split(/[’,]/, 1)[0] ?? name);
    this.volunteers.push(token);
    const attaching = this.#agent(['attach', this.url, '--data', data, '--name', name, '--p2p'], token);
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

/** A tape of noise with tones that the search finds. */
function aTape(seed: number, count: number, search: { fromChirp: number; toChirp: number }): Uint8Array {
  const tones = chooseTones({
    count,
    fromChirp: search.fromChirp + 10,
    toChirp: search.toChirp - 10,
    power: TONE_POWER,
    random: seededRandom(seed),
  });
  return generateTape({ seed, tones }).bytes;
}

function aHunt(
  app: string,
  {
    name,
    to,
    step,
    maxCycles = '100000000000',
  }: { name: string; to: number; step: number; maxCycles?: string },
): object {
  return {
    name,
    app,
    split: [{ kind: 'range', name: 'p', from: 2, to, step }],
    args: ['{p.from}', '{p.to}'],
    outputs: ['stdout'],
    limits: { maxCycles, memoryMiB: 16 },
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
