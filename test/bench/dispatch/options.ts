import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Results and requests in one call. */
  readonly k: number;
  readonly coordinators: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Offered tasks a second; null: 80 % of what a closed loop reaches first. */
  readonly rate: number | null;
  readonly hosts: number;
  readonly earlierUnits: number;
  readonly json: boolean;
  /** Keeps the prepared database here for the next run; null: a temporary directory. */
  readonly keep: string | null;
  /** Also tells which statements took Postgres' time. */
  readonly statements: boolean;
  /** Arguments of Node for the coordinators, such as `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
}

/** @throws {TypeError} for unknown options and values that are no numbers */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      k: { type: 'string', default: '1' },
      coordinators: { type: 'string', default: '2' },
      'warm-up': { type: 'string', default: '15' },
      seconds: { type: 'string', default: '60' },
      rate: { type: 'string' },
      hosts: { type: 'string', default: '10000' },
      'earlier-units': { type: 'string', default: '1000000' },
      json: { type: 'boolean', default: false },
      keep: { type: 'string' },
      statements: { type: 'boolean', default: false },
      'node-args': { type: 'string', default: '' },
    },
  });
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
    nodeArgs: values['node-args'].split(' ').filter((arg) => arg !== ''),
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new TypeError(`--${name} must be a positive integer, not ${text}`);
  return value;
}
