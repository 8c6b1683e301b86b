import { LIMITS, type JobSpec, type Split } from '@gleaner/protocol';
import {
  RESERVED_ENV_PREFIX,
  brokenPlaceholders,
  placeholderKeys,
  substitutedCharacters,
  unknownPlaceholders,
} from './placeholders.js';

/** Of a range, of offsets and lengths: integers that a double holds exactly. */
const LONGEST_INTEGER = String(Number.MIN_SAFE_INTEGER).length;

export interface SpecFault {
  /** JSON pointer (RFC 6901) into the job file. */
  readonly pointer: string;
  readonly detail: string;
}

/**
 * What a job file that fits the schema still gets wrong about itself: placeholders that no split fills, names used twice,
 * splits of inputs that are not there, reserved environment names, more text than a unit may carry. Empty when it is sound.
 */
export function checkJobSpec(spec: JobSpec): readonly SpecFault[] {
  return [
    ...splitFaults(spec),
    ...valueFaults(spec),
    ...argFaults(spec),
    ...envFaults(spec),
    ...outputFaults(spec),
  ];
}

function* splitFaults({ split: splits, inputs }: JobSpec): Generator<SpecFault> {
  const names = new Map<string, number>();
  const cutInputs = new Map<string, number>();
  for (const [at, split] of splits.entries()) {
    const namesake = names.get(split.name);
    if (namesake === undefined) names.set(split.name, at);
    else yield { pointer: `/split/${at}/name`, detail: `is the name of split ${namesake} already` };
    if (split.kind === 'range' && !Number.isSafeInteger(split.to - split.from)) {
      yield { pointer: `/split/${at}/to`, detail: 'spans more than 2^53 integers' };
    }
    if (split.kind !== 'bytes' && split.kind !== 'records') continue;
    if (!Object.hasOwn(inputs, split.input)) {
      yield { pointer: `/split/${at}/input`, detail: `no input is named "${split.input}"` };
    }
    const cutBy = cutInputs.get(split.input);
    if (cutBy === undefined) cutInputs.set(split.input, at);
    else yield { pointer: `/split/${at}/input`, detail: `split ${cutBy} cuts the same input already` };
  }
}

/**
 * Each unit carries its values by itself, in the database and in each answer that hands it out: by the dozen there. Its
 * arguments, which name them any number of times, are made where it is computed, beside what the app may use.
 */
function* valueFaults({ split: splits, args }: JobSpec): Generator<SpecFault> {
  const longest = new Map(splits.map((split) => [split.name, longestValues(split)]));
  const ofGrids = splits
    .filter(({ kind }) => kind === 'grid')
    .flatMap(({ name }) => [...(longest.get(name)?.values() ?? [])]);
  const texts = [
    { pointer: '/split', what: 'grid values', characters: sum(ofGrids) },
    {
      pointer: '/args',
      what: 'arguments',
      characters: sum(
        args.map((arg) => substitutedCharacters(arg, (split, key) => longest.get(split)?.get(key) ?? 0)),
      ),
    },
  ];
  for (const { pointer, what, characters } of texts) {
    if (characters <= LIMITS.argsLength) continue;
    yield {
      pointer,
      detail: `a unit may get ${what} of ${characters} characters in all; at most ${LIMITS.argsLength} are allowed`,
    };
  }
}

/** Characters of the longest value of each key. */
function longestValues(split: Split): ReadonlyMap<string, number> {
  if (split.kind !== 'grid') return new Map(placeholderKeys(split).map((key) => [key, LONGEST_INTEGER]));
  return new Map(
    Object.entries(split.lists).map(([key, list]) => [
      key,
      list.reduce<number>((most, value) => Math.max(most, String(value).length), 0),
    ]),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function* argFaults({ args, split: splits }: JobSpec): Generator<SpecFault> {
  const all = splits.flatMap((split) => placeholderKeys(split).map((key) => `{${split.name}.${key}}`));
  const known = all.slice(0, 20).join(', ');
  for (const [at, arg] of args.entries()) {
    for (const placeholder of unknownPlaceholders(arg, splits)) {
      yield {
        pointer: `/args/${at}`,
        detail: `${placeholder} is not filled by any split; known are ${known}`,
      };
    }
    for (const text of brokenPlaceholders(arg, splits)) {
      yield { pointer: `/args/${at}`, detail: `"${text}" is no placeholder; known are ${known}` };
    }
  }
}

function* envFaults({ env }: JobSpec): Generator<SpecFault> {
  for (const name of Object.keys(env)) {
    if (name.startsWith(RESERVED_ENV_PREFIX)) {
      yield { pointer: `/env/${name}`, detail: `names with ${RESERVED_ENV_PREFIX} are set by the sandbox` };
    }
  }
}

function* outputFaults({ outputs }: JobSpec): Generator<SpecFault> {
  for (const [at, output] of outputs.entries()) {
    if (outputs.indexOf(output) !== at)
      yield { pointer: `/outputs/${at}`, detail: `"${output}" is listed twice` };
  }
}
