import { createLogger, LOGGER, openDataSource, type Logger } from '@gleaner/coordinator';
import { job as jobSchema, type JobSpecInput } from '@gleaner/protocol';
import type { DataSource } from 'typeorm';
import { Random } from '../../bench/fuzz-sandbox-random.js';
import { aProject, createTestApplication, RUNTIME, type TestApplication } from '../../support/index.js';
import { helloModule } from '../agent-support/tiny-modules.js';
import { anApprovedApp } from '../volunteering/science.js';
import type { JobKind } from './science.js';

/** Limits that have tests of their own keep nobody waiting. */
const ENV = {
  GLEANER_TRUST_PROXY: '1',
  GLEANER_REQUESTS_PER_MINUTE: '1000000',
  GLEANER_ANONYMOUS_REQUESTS_PER_MINUTE: '1000000',
  GLEANER_PUBLIC_REQUESTS_PER_MINUTE: '1000000',
  GLEANER_ATTACHES_PER_HOUR: '1000000',
};
/** Whoever closes is not called again, so that hardly anybody needs a second try. */
const MAX_TRIES = 50;
/** Who is served for longer by a coordinator that closes is cut off. */
const GRACE_MS = 2_000;
const MAX_SHARE = 10;
const FAULTS_MAX = 20;
const FAULT_LENGTH = 1_000;

type LogLine = Readonly<Record<string, unknown>>;

interface CallOptions {
  readonly token?: string | undefined;
  /** Pretended address. */
  readonly address?: string | undefined;
  readonly body?: object;
}

interface Answer {
  /** 0: nobody answered. */
  readonly status: number;
  readonly text: string;
  /** The text parsed, where it is JSON. */
  readonly body: unknown;
}

interface Submitter {
  readonly project: string;
  readonly app: string;
  readonly token: string;
}

interface WorldOptions {
  readonly seed: number;
  /** Whether queues are on Redis rather than on Postgres. */
  readonly redis: boolean;
  /** What a host may take a day for each core before it has shown what it is worth. */
  readonly newcomersTasks: number;
}

/** Two coordinators on one database, one of which may be replaced, and a book of everything that must not happen. */
export class World {
  private readonly found = new Set<string>();
  private readonly open: TestApplication[];
  private networks = 0;
  /** Whether a coordinator that closed may have been stopped in the middle of something, as by a crash. */
  wasCutOff = false;

  private constructor(
    readonly random: Random,
    private readonly env: Readonly<Record<string, string>>,
    private readonly first: TestApplication,
    private readonly database: DataSource,
    private readonly submitters: Readonly<Record<JobKind['by'], Submitter>>,
    /** Each line that a coordinator logged at `warn` or above. */
    readonly log: LogLine[],
  ) {
    this.open = [first];
  }

  static async start({ seed, redis, newcomersTasks }: WorldOptions): Promise<World> {
    const log: LogLine[] = [];
    const env = { ...ENV, GLEANER_INITIAL_TASKS_PER_CORE: String(newcomersTasks) };
    const first = await createTestApplication({ redis, env, logger: recordingLogger(log) });
    const database = await openDataSource({ url: first.config.databaseUrl ?? '', connections: 3 });
    const { project, app, scientist } = await anApprovedApp(
      first,
      'approved',
      helloModule('hello\n').original,
    );
    const strange = await aProject(first);
    await strange.scientist
      .post(`/v1/apps?project=${strange.slug}&name=unapproved&version=1`)
      .set('content-type', 'application/wasm')
      .send(Buffer.from(helloModule('hello you\n').original))
      .expect(201);
    // Nothing computes: what hosts report is made up.
    await database.query('UPDATE app_version SET runtime_version = $1', [RUNTIME]);
    const submitters = {
      scientist: { project, app, token: scientist.token },
      operator: { project, app, token: first.operatorToken },
      stranger: { project: strange.slug, app: 'unapproved@1', token: strange.scientist.token },
    };
    const world = new World(new Random(seed), env, first, database, submitters, log);
    await world.addCoordinator();
    return world;
  }

  /** What must not have happened. */
  get faults(): readonly string[] {
    return [...this.found];
  }

  fault(text: string): void {
    if (this.found.size < FAULTS_MAX) this.found.add(text.slice(0, FAULT_LENGTH));
  }

  get coordinators(): readonly TestApplication[] {
    return this.open;
  }

  /** Any of those that run. */
  aCoordinator(): TestApplication {
    return this.random.pick(this.open);
  }

  tokenOf(who: JobKind['by']): string {
    return this.submitters[who].token;
  }

  async addCoordinator(): Promise<void> {
    const { databaseUrl, redisUrl, dataDir } = this.first.config;
    this.open.push(
      await createTestApplication({
        env: {
          ...this.env,
          GLEANER_OPERATOR_TOKEN: this.tokenOf('operator'),
          ...(redisUrl !== null && { REDIS_URL: redisUrl }),
        },
        databaseUrl: databaseUrl ?? '',
        dataDir,
        logger: recordingLogger(this.log),
      }),
    );
  }

  /** From now on nobody calls it; whoever is being served is served. */
  async closeCoordinator(): Promise<void> {
    const [leaving] = this.open.splice(this.random.int(this.open.length), 1);
    // What it says of those whom it cuts off, and of what it leaves to sweeps, is as it should be.
    if (leaving) leaving.app.get<Logger>(LOGGER).level = 'silent';
    const startMs = performance.now();
    await leaving?.coordinator.stop();
    if (performance.now() - startMs >= GRACE_MS) this.wasCutOff = true;
  }

  async close(): Promise<void> {
    await this.database.destroy();
    for (const { coordinator } of this.open) await coordinator.stop();
    await this.first.close();
  }

  query<Row extends object>(statement: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.database.query<Row[]>(statement, [...values]);
  }

  /** An address on a /24 that nobody else is on. */
  anAddress(): string {
    this.networks += 1;
    return `198.18.${this.networks}.9`;
  }

  /** Calls any of the coordinators. Who is not answered because it closes calls another one. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const application = this.aCoordinator();
      const isClosing = (): boolean => !this.open.includes(application);
      try {
        const { status, text } = await send(new URL(path, application.url), method, options);
        if (status === 503 && isClosing()) continue;
        if (status >= 500) this.fault(`${method} ${path}: ${status} ${text}`);
        return { status, text, body: parsed(text) };
      } catch (error) {
        if (!isClosing()) this.fault(`${method} ${path}: ${String(error)}`);
      }
    }
    return { status: 0, text: '', body: null };
  }

  /** A new job of this kind. @returns its id */
  async submit(kind: JobKind): Promise<string> {
    const { project, app, token } = this.submitters[kind.by];
    const spec: JobSpecInput = {
      name: kind.name,
      app,
      split: [{ kind: 'range', name: 'n', from: 0, to: kind.units, step: 1 }],
      args: ['{n.from}'],
      share: 1 + this.random.int(MAX_SHARE),
      ...kind.spec,
    };
    const { status, text, body } = await this.call('POST', '/v1/jobs', { token, body: { project, spec } });
    if (status !== 202) throw new Error(`a job was refused: ${status} ${text}`);
    return jobSchema.parse(body).id;
  }
}

async function send(
  url: URL,
  method: string,
  { token, address, body }: CallOptions,
): Promise<{ status: number; text: string }> {
  const isBytes = Buffer.isBuffer(body);
  const response = await fetch(url, {
    method,
    headers: {
      ...(body && { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(address !== undefined && { 'x-forwarded-for': address }),
    },
    ...(body && { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function recordingLogger(lines: LogLine[]): Logger {
  const logger = createLogger('fatal');
  const record = (line: LogLine, message = ''): void => {
    if (logger.level !== 'silent') lines.push({ ...line, err: String(line['err']), message });
  };
  return Object.assign(logger, { warn: record, error: record, fatal: record });
}
