import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { DEFAULT_ALLOWANCE_RULES, type AllowanceRules, type UploadRoomRules } from '@gleaner/domain';
import { z } from 'zod';
import { namesProxies, PROXIES } from './proxies.js';

export const ROLES = ['api', 'worker', 'all'] as const;
/** `api` serves HTTP, `worker` runs the queues (and serves only health and metrics), `all` does both. */
export type Role = (typeof ROLES)[number];

/**
 * Two answers that are merged and three that work on the boards may each hold a connection for its lock while it waits for
 * another one to work on: with no more than these all of them wait for ever, and whoever calls with them.
 */
const MIN_DATABASE_CONNECTIONS = 8;

const GIB = 1024 ** 3;
/** Sums of these are exact in the numbers that they are counted with. */
const uploadBytes = z.coerce
  .number()
  .int()
  .min(0)
  .max(2 ** 50);

const SPECIAL = 'in a password % is written %25, / is %2F, # is %23 and ? is %3F';
const POSTGRES = `must be like postgres://USER:PASSWORD@HOST:5432/DATABASE; ${SPECIAL}`;
const REDIS = `must be like redis://USER:PASSWORD@HOST:6379 or rediss://HOST:6379, with /1 behind it for database 1; ${SPECIAL}`;

/** Drivers read what is written with % signs, and end the start where they cannot. */
function isReadable(address: string): boolean {
  try {
    decodeURIComponent(address);
    return true;
  } catch {
    return false;
  }
}

/** A file's name where the host belongs would be taken for this machine, anything else than a number for no database at all. */
function namesRedis(address: string): boolean {
  const url = URL.parse(address);
  return isReadable(address) && url !== null && url.hostname !== '' && /^(?:\/\d*)?$/.test(url.pathname);
}

const flag = z
  .enum(['0', '1', 'true', 'false'])
  .default('false')
  .transform((text) => text === '1' || text === 'true');

/** Every variable is described in docs/operating.md. */
const environment = z.object({
  GLEANER_PORT: z.coerce.number().int().min(0).max(65_535).default(8400),
  GLEANER_HOST: z.string().min(1).default('0.0.0.0'),
  GLEANER_PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an address such as https://gleaner.example' })
    .optional(),
  GLEANER_DATA: z.string().min(1).optional(),
  GLEANER_ROLE: z.enum(ROLES).default('all'),
  GLEANER_JSON: flag,
  GLEANER_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  GLEANER_NAME: z.string().min(1).max(80).default('Gleaner'),
  GLEANER_OPERATOR_NAME: z.string().max(80).default('operator'),
  GLEANER_OPERATOR_CONTACT: z.string().max(200).default(''),
  GLEANER_OPERATOR_TOKEN: z
    .string()
    .regex(/^gln_[A-Za-z0-9_-]{32,80}$/, 'must be gln_ followed by 32 to 80 letters, digits, "_" or "-"')
    .optional(),
  /** Where the source of what runs here is; the operator's own fork has its own. */
  GLEANER_SOURCE_URL: z.string().max(200).default(''),
  GLEANER_TRUST_PROXY: z.string().refine(namesProxies, { error: PROXIES }).default(''),
  GLEANER_ALLOW_SAME_NETWORK: flag,
  GLEANER_DATABASE_CONNECTIONS: z.coerce.number().int().min(MIN_DATABASE_CONNECTIONS).max(200).default(16),
  GLEANER_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(1200),
  GLEANER_ANONYMOUS_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(300),
  GLEANER_PUBLIC_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(6000),
  GLEANER_STREAMS_PER_NETWORK: z.coerce.number().int().min(1).max(100_000).default(600),
  GLEANER_ATTACHES_PER_HOUR: z.coerce.number().int().min(1).max(1_000_000).default(120),
  GLEANER_INITIAL_TASKS_PER_CORE: z.coerce
    .number()
    .int()
    .min(1)
    .max(1 << 20)
    .default(DEFAULT_ALLOWANCE_RULES.initialPerCore),
  GLEANER_MAIL_COMMAND: z.string().max(1000).default(''),
  GLEANER_MAIL_FROM: z.email().max(254).default('gleaner@localhost.localdomain'),
  GLEANER_SIGN_INS_PER_HOUR: z.coerce.number().int().min(1).max(1_000_000).default(120),
  GLEANER_MIN_FREE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(256 * 1024 * 1024),
  GLEANER_UPLOAD_BYTES_PER_SCIENTIST: uploadBytes.default(256 * GIB),
  GLEANER_UPLOAD_BYTES_OF_NEWCOMERS: uploadBytes.default(16 * GIB),
  GLEANER_ORIGIN_RATE_BYTES: z.coerce
    .number()
    .int()
    .min(16 * 1024)
    .max(1e12)
    .optional(),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: POSTGRES })
    .refine(isReadable, { error: POSTGRES })
    .optional(),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: REDIS })
    .refine(namesRedis, { error: REDIS })
    .optional(),
});

/** Names of all variables. */
export const SETTINGS: readonly string[] = Object.keys(environment.shape);

/** Everything that the environment decides, read once at start. Durations and sizes carry their unit in the name. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** How volunteers reach this coordinator; null: each at the address that it has called. */
  readonly publicUrl: string | null;
  readonly dataDir: string;
  readonly role: Role;
  /** Print one line of JSON on stdout when ready, instead of sentences. */
  readonly json: boolean;
  readonly logLevel: string;
  readonly name: string;
  readonly operatorName: string;
  readonly operatorContact: string;
  /** Where volunteers find the source; empty where the operator names none. */
  readonly sourceUrl: string;
  /** Secret of the first operator token; null: one is drawn and printed once. */
  readonly operatorToken: string | null;
  /** What Fastify takes as `trustProxy`: false, true, a hop count or a list of addresses. */
  readonly trustProxy: boolean | number | string;
  /** Two accounts of one /24 or /48 may complete a quorum together (demo, one laboratory). */
  readonly allowSameNetwork: boolean;
  /** null: an embedded Postgres in `dataDir` is used. */
  readonly databaseUrl: string | null;
  readonly databaseConnections: number;
  /** null: BullMQ keeps its queues in Postgres. */
  readonly redisUrl: string | null;
  readonly requestsPerMinute: number;
  readonly anonymousRequestsPerMinute: number;
  /** Reads of what everybody may see, by one account or, without one, one network: a school may be behind it. */
  readonly publicRequestsPerMinute: number;
  /** Streams of events that one network may have open at a process at a time. */
  readonly streamsPerNetwork: number;
  /** Anonymous hosts that one network may attach in an hour. */
  readonly attachesPerHour: number;
  /** Program that sends a message which it reads from its standard input, such as `/usr/sbin/sendmail -t`; null: the console. */
  readonly mailCommand: string | null;
  readonly mailFrom: string;
  /** Sign-ins and sign-ups that one network may try in an hour. */
  readonly signInsPerHour: number;
  /** Tasks a day of a host that has not shown yet what it is worth. */
  readonly allowance: AllowanceRules;
  /** Uploads are refused when the disk would have less left than this. */
  readonly minFreeBytes: number;
  /** What uploads may hold of the disk: of one scientist, and of all together whom no operator has approved. */
  readonly uploadRoom: UploadRoomRules;
  /** What all downloads of this process together may take of its line; null: no cap. */
  readonly originBytesPerSecond: number | null;
}

/**
 * Reads and checks the environment once. What is set to nothing counts as not set: files for environments, and compose files that
 * pass on a variable which nobody set, say it that way, and as numbers they would be 0.
 *
 * @throws {ConfigError} that names every variable that is wrong
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.entries(env).filter(([, value]) => value?.trim() !== '');
  const parsed = environment.safeParse(Object.fromEntries(set));
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
  const values = parsed.data;
  return Object.freeze<Config>({
    port: values.GLEANER_PORT,
    host: values.GLEANER_HOST,
    publicUrl: values.GLEANER_PUBLIC_URL?.replace(/\/+$/, '') ?? null,
    dataDir: resolve(values.GLEANER_DATA ?? defaultDataDir()),
    role: values.GLEANER_ROLE,
    json: values.GLEANER_JSON,
    logLevel: values.GLEANER_LOG_LEVEL,
    name: values.GLEANER_NAME,
    operatorName: values.GLEANER_OPERATOR_NAME,
    operatorContact: values.GLEANER_OPERATOR_CONTACT,
    sourceUrl: values.GLEANER_SOURCE_URL,
    operatorToken: values.GLEANER_OPERATOR_TOKEN ?? null,
    trustProxy: parseTrustProxy(values.GLEANER_TRUST_PROXY),
    allowSameNetwork: values.GLEANER_ALLOW_SAME_NETWORK,
    databaseUrl: values.DATABASE_URL ?? null,
    databaseConnections: values.GLEANER_DATABASE_CONNECTIONS,
    redisUrl: values.REDIS_URL ?? null,
    requestsPerMinute: values.GLEANER_REQUESTS_PER_MINUTE,
    anonymousRequestsPerMinute: values.GLEANER_ANONYMOUS_REQUESTS_PER_MINUTE,
    publicRequestsPerMinute: values.GLEANER_PUBLIC_REQUESTS_PER_MINUTE,
    streamsPerNetwork: values.GLEANER_STREAMS_PER_NETWORK,
    attachesPerHour: values.GLEANER_ATTACHES_PER_HOUR,
    mailCommand: values.GLEANER_MAIL_COMMAND === '' ? null : values.GLEANER_MAIL_COMMAND,
    mailFrom: values.GLEANER_MAIL_FROM,
    signInsPerHour: values.GLEANER_SIGN_INS_PER_HOUR,
    allowance: Object.freeze({
      ...DEFAULT_ALLOWANCE_RULES,
      initialPerCore: values.GLEANER_INITIAL_TASKS_PER_CORE,
    }),
    minFreeBytes: values.GLEANER_MIN_FREE_BYTES,
    uploadRoom: Object.freeze({
      perScientistBytes: values.GLEANER_UPLOAD_BYTES_PER_SCIENTIST,
      newcomersBytes: values.GLEANER_UPLOAD_BYTES_OF_NEWCOMERS,
    }),
    originBytesPerSecond: values.GLEANER_ORIGIN_RATE_BYTES ?? null,
  });
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(`The environment is not usable: ${problems.join('; ')}`);
  }
}

function parseTrustProxy(text: string): boolean | number | string {
  if (text === '' || text === 'false') return false;
  if (text === 'true') return true;
  return /^\d{1,2}$/.test(text) ? Number(text) : text;
}

function defaultDataDir(): string {
  // Postgres refuses to run as root, and its own user cannot look into /root.
  if (process.getuid?.() === 0) return '/var/lib/gleaner';
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'gleaner');
}
