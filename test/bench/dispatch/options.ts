import { readCommandLine, wholeNumber } from '../../support/command-line.js';

const COMMAND = {
  start: 'npm run bench:dispatch',
  purpose: 'Validated tasks a second through real coordinators over HTTP, load generator included.',
  options: {
    k: { type: 'string', default: '1', help: 'results and requests in one call' },
    coordinators: { type: 'string', default: '2', help: 'processes' },
    'warm-up': { type: 'string', default: '15', help: 'seconds before the steady state' },
    seconds: { type: 'string', default: '60', help: 'of steady state' },
    rate: { type: 'string', help: 'offered tasks a second; otherwise 70 % of what a closed loop reaches' },
    hosts: { type: 'string', default: '10000', help: 'volunteers, an account each' },
    'earlier-units': { type: 'string', default: '1000000', help: 'units that the database has already' },
    keep: { type: 'string', help: 'directory that keeps the prepared database for the next run' },
    statements: { type: 'boolean', default: false, help: "tell which statements took Postgres' time" },
    timeline: {
      type: 'boolean',
      default: false,
      help: 'tell of each second how long calls took and what ran',
    },
    'node-args': { type: 'string', default: '', help: 'of the coordinators, such as --cpu-prof' },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
} as const;

export interface BenchOptions {
  /** Results and requests in one call. */
  readonly k: number;
  readonly coordinators: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Offered tasks a second; null: 70 % of what a closed loop reaches first. */
  readonly rate: number | null;
  readonly hosts: number;
  readonly earlierUnits: number;
  readonly json: boolean;
  /** Keeps the prepared database here for the next run; null: a temporary directory. */
  readonly keep: string | null;
  /** Also tells which statements took Postgres' time. */
  readonly statements: boolean;
  /** Also tells second by second how long calls took and which statements ran. */
  readonly timeline: boolean;
  /** Arguments of Node for the coordinators, such as `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
}

/** Ends the process where the arguments are not usable, or ask for help. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values } = readCommandLine(COMMAND, argv);
  return {
    k: positive('k', values.k),
    coordinators: positive('coordinators', values.coordinators),
    warmUpSeconds: positive('warm-up', values['warm-up']),
    seconds: positive('seconds', values.seconds),
    rate: values.rate === undefined ? null : positive('rate', values.rate),
    hosts: positive('hosts', values.hosts),
    earlierUnits: positive('earlier-units', values['earlier-units']),
    json: values.json,
    keep: values.keep ?? null,
    statements: values.statements,
    timeline: values.timeline,
    nodeArgs: values['node-args'].split(' ').filter((arg) => arg !== ''),
  };
}

function positive(name: string, text: string): number {
  return wholeNumber(COMMAND, name, text, { min: 1, max: Number.MAX_SAFE_INTEGER });
}
