import type { Split, UnitParams, UnitWindows } from '@gleaner/protocol';

/** `{split.key}`, and `{{split.key}}` for that text itself. All other braces are ordinary characters. */
const PLACEHOLDER = /\{(\{)?([A-Za-z][A-Za-z0-9_-]*)\.([A-Za-z][A-Za-z0-9_-]*)\}(\})?/g;

/** What begins as a placeholder does, in what is left of an argument without its placeholders. */
const BEGUN = /(?<!\{)\{\s*([A-Za-z][A-Za-z0-9_-]*)\s*\.[^{}]*\}?/g;

/** Environment names that the sandbox sets itself. */
export const RESERVED_ENV_PREFIX = 'GLEANER_';

/** Keys that a split fills in: `{name.key}`. */
export function placeholderKeys(split: Split): readonly string[] {
  switch (split.kind) {
    case 'range':
      return ['from', 'to', 'index'];
    case 'grid':
      return Object.keys(split.lists);
    case 'bytes':
    case 'records':
      return ['offset', 'length', 'index'];
  }
}

/**
 * A unit's arguments: the job's, with every `{split.key}` replaced by its value. Numbers as ECMAScript prints them.
 *
 * @throws {RangeError} for a placeholder without a value; {@link checkJobSpec} finds those at submission
 */
export function substituteArgs(args: readonly string[], params: UnitParams): string[] {
  return args.map((arg) =>
    replacePlaceholders(arg, (split, key) => {
      const value = params[split]?.[key];
      if (value === undefined)
        throw new RangeError(`no value for {${split}.${key}} in ${JSON.stringify(arg)}`);
      return String(value);
    }),
  );
}

/** Characters of an argument once each of its placeholders has as many as `charactersOf` says. */
export function substitutedCharacters(
  arg: string,
  charactersOf: (split: string, key: string) => number,
): number {
  let filledIn = 0;
  const rest = replacePlaceholders(arg, (split, key) => {
    filledIn += charactersOf(split, key);
    return '';
  });
  return filledIn + rest.length;
}

/** Placeholders of an argument that no split fills, as written. */
export function unknownPlaceholders(arg: string, splits: readonly Split[]): readonly string[] {
  const unknown: string[] = [];
  replacePlaceholders(arg, (name, key) => {
    const split = splits.find((one) => one.name === name);
    if (!split || !placeholderKeys(split).includes(key)) unknown.push(`{${name}.${key}}`);
    return '';
  });
  return unknown;
}

/** What begins with the name of a split as its placeholders do, and is none: the app would get it as it is written. */
export function brokenPlaceholders(arg: string, splits: readonly Split[]): readonly string[] {
  const rest = arg.replace(PLACEHOLDER, '');
  return [...rest.matchAll(BEGUN)]
    .filter(([, name]) => splits.some((split) => split.name === name))
    .map(([text]) => text);
}

/**
 * What the app learns about the place of its windows: `GLEANER_OFFSET`, the absolute offset in bytes of the one windowed
 * input; with several, `GLEANER_OFFSET_<input>` for each. Part of what determines a unit's result.
 */
export function windowEnv(windows: UnitWindows): Record<string, string> {
  const entries = Object.entries(windows);
  if (entries.length === 1) return { GLEANER_OFFSET: String(entries[0]?.[1].offset ?? 0) };
  return Object.fromEntries(
    entries.map(([input, { offset }]) => [`GLEANER_OFFSET_${input}`, String(offset)]),
  );
}

function replacePlaceholders(arg: string, valueOf: (split: string, key: string) => string): string {
  return arg.replace(
    PLACEHOLDER,
    (text, open: string | undefined, split: string, key: string, close: string | undefined) => {
      if (open && close) return text.slice(1, -1);
      return `${open ?? ''}${valueOf(split, key)}${close ?? ''}`;
    },
  );
}
