import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { durationMs, gridSplit, jobLimits, jobSpec, parseDurationMs, split } from './job-spec.js';
import { LIMITS } from './limits.js';
import {
  blobId,
  decimalString,
  displayName,
  entityId,
  formatTaskId,
  identifier,
  lineOf,
  parseTaskId,
  plainText,
  taskId,
} from './primitives.js';
import { schemaFaults } from './schema-faults.js';

/** What a schema says of a value, at each place. */
function faultsOf(schema: z.ZodType, value: unknown): string[] {
  const { error } = schema.safeParse(value);
  return schemaFaults(schema, value, error?.issues ?? []).map(({ pointer, detail }) =>
    `${pointer} ${detail}`.trim(),
  );
}

describe('ids', () => {
  it('have at most 18 digits, and say so of a longer one', () => {
    expect(faultsOf(entityId, '9'.repeat(18))).toEqual([]);
    for (const id of ['1180591620717411303424', '0', '-1', '1.5', 'me']) {
      expect(faultsOf(entityId, id)).toEqual([
        'must be a positive decimal id of at most 18 digits, as a string',
      ]);
    }
  });
});

describe('names of a job’s variables and inputs', () => {
  const job = { name: 'job', app: 'app@1', split: [{ kind: 'range', name: 'k', from: 0, to: 9, step: 1 }] };
  const rule = 'is no name: it must start with a letter and hold up to 63 letters, digits, "_" or "-"';

  it.each(['A=B', '', '1st', 'with space', 'x'.repeat(64)])('say of "%s" what they may hold', (name) => {
    expect(faultsOf(jobSpec, { ...job, env: { [name]: 'c' } })).toEqual([`/env/${name} ${rule}`]);
    const blob = `sha256:${'0'.repeat(64)}`;
    expect(faultsOf(jobSpec, { ...job, inputs: { [name]: blob } })).toEqual([`/inputs/${name} ${rule}`]);
    const grid = { kind: 'grid', name: 'g', lists: { [name]: [1] } };
    expect(faultsOf(jobSpec, { ...job, split: [grid] })).toEqual([`/split/0/lists/${name} ${rule}`]);
  });

  it('leave what is wrong with a value, or with all of them, as it is', () => {
    expect(faultsOf(jobSpec, { ...job, env: { A: 7 } })).toEqual(['/env/A must be a string, not 7']);
    expect(faultsOf(jobSpec, { ...job, env: 'A=7' })).toEqual(['/env must be an object, not "A=7"']);
  });
});

describe('values of a grid', () => {
  const faultsOfLists = (lists: unknown): string[] => faultsOf(gridSplit, { kind: 'grid', name: 'g', lists });

  it('are text or numbers, and the first that is neither is told', () => {
    expect(faultsOfLists({ a: ['x', 1, -0.5, ''], b: ['é'] })).toEqual([]);
    for (const wrong of [
      null,
      true,
      {},
      [],
      'a\0',
      'x'.repeat(LIMITS.argBytes + 1),
      Number.POSITIVE_INFINITY,
    ]) {
      const faults = faultsOfLists({ a: ['x', wrong, wrong] });
      expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['/lists/a/1']);
    }
  });

  it('are all wrong without keeping anybody waiting', () => {
    expect(
      faultsOfLists({ a: Array<null>(100_000).fill(null), b: Array<null>(100_000).fill(null) }),
    ).toHaveLength(2);
  });

  it('are as many as there may be, and at least one', () => {
    expect(faultsOfLists({ a: [] })).toEqual(['/lists/a must have at least 1 items']);
    expect(faultsOfLists({ a: 7 })).toEqual(['/lists/a must be an array, not 7']);
    expect(faultsOfLists({ a: Array<number>(LIMITS.gridValuesPerList + 1).fill(0) })).toEqual([
      `/lists/a must have at most ${LIMITS.gridValuesPerList} items`,
    ]);
  });
});

describe('task ids', () => {
  it('survive formatting and parsing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 53 - 1 }),
        fc.nat(LIMITS.tasksPerUnit),
        (unitId, ordinal) => {
          const id = formatTaskId(unitId, ordinal);
          expect(taskId.safeParse(id).success).toBe(true);
          expect(parseTaskId(id)).toEqual({ unitId, ordinal });
        },
      ),
    );
  });

  it.each([
    '',
    '1',
    '.1',
    '0.1',
    '1.',
    '01.1',
    '1.1.1',
    '-1.0',
    '1.x',
    '9007199254740992.0',
    '999999999999999999.0',
    '1.0 ',
  ])('refuse %j', (text) => expect(taskId.safeParse(text).success).toBe(false));

  it('beyond exact integers are refused when parsed', () => {
    expect(() => parseTaskId('99999999999999999.0')).toThrow(TypeError);
  });
});

describe('numbers as text', () => {
  it('take every unsigned integer in its one form', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 39n - 1n }), (value) => {
        expect(decimalString.parse(String(value))).toBe(String(value));
      }),
    );
    for (const text of ['', '01', '-1', '+1', '1.0', '1e3', ' 1', '1'.repeat(40)]) {
      expect(decimalString.safeParse(text).success).toBe(false);
    }
    expect(entityId.safeParse('0').success).toBe(false);
  });
});

describe('plain text', () => {
  it('takes what UTF-8 and a database can hold, and nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        const isPlain = !text.includes('\0');
        expect(plainText(100).safeParse(text).success).toBe(isPlain);
      }),
    );
    for (const text of ['a\0', '\0', '\ud800', 'a\udc00b', 'too long']) {
      expect(plainText(7).safeParse(text).success).toBe(false);
    }
    for (const text of ['a\0', 'a\ud800', ' ']) expect(displayName.safeParse(text).success).toBe(false);
  });

  it('of one line holds nothing that would end it, or that a terminal takes for an order', () => {
    for (const text of [
      'a\nb',
      'a\rb',
      '\u001b[31mred',
      '\u009b2J',
      '\u0007',
      'a\u2028b',
      'tab\tbed',
      'a\u007f',
    ]) {
      expect(faultsOf(displayName, text)).toEqual(['must be one line, without control characters']);
    }
    for (const text of ['Ada', 'عالمة 🌾', '\u200fאדה', 'a  b'])
      expect(faultsOf(displayName, text)).toEqual([]);
    expect(lineOf(3).safeParse(' abc\n').data).toBe('abc');
  });
});

describe('names', () => {
  it('never leave their directory or break a placeholder', () => {
    for (const name of ['..', 'a/b', 'a.b', '{a}', '1a', '', 'ä', 'a'.repeat(64)]) {
      expect(identifier.safeParse(name).success).toBe(false);
    }
    expect(identifier.safeParse('stdout').success).toBe(true);
    expect(blobId.safeParse(`sha256:${'A'.repeat(64)}`).success).toBe(false);
  });
});

describe('durations', () => {
  it('are the sum of their parts', () => {
    const part = (max: number) => fc.option(fc.nat(max), { nil: undefined });
    fc.assert(
      fc.property(part(29), part(23), part(59), part(59), (days, hours, minutes, seconds) => {
        const time = [
          hours !== undefined && `${hours}H`,
          minutes !== undefined && `${minutes}M`,
          seconds !== undefined && `${seconds}S`,
        ];
        const timeText = time.filter(Boolean).join('');
        const text = `P${days === undefined ? '' : `${days}D`}${timeText && `T${timeText}`}`;
        const ms = ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
        const isWritten = text !== 'P';
        expect(durationMs.safeParse(text).success).toBe(isWritten && ms >= 10_000);
        if (isWritten) expect(parseDurationMs(text)).toBe(ms);
      }),
    );
  });

  it.each([
    '',
    'P',
    'PT',
    'PT6',
    '6H',
    'PT6H30',
    'P1M',
    'P1Y',
    'P1W',
    'PT1.5H',
    'pt6h',
    'P1DT',
    'PT9S',
    'P31D',
  ])('refuse %j without throwing', (text) => expect(durationMs.safeParse(text).success).toBe(false));
});

describe('a malformed job file', () => {
  it('says how a split is to be cut once, and in no other way as well', () => {
    const faultsOfSplit = (about: object): string[] =>
      faultsOf(split, { kind: 'records', name: 'part', input: 'sky', delimiter: '\n', ...about });
    const ways = [{ records: 1 }, { maxBytes: 1 }, { units: 1 }];
    for (const [at, way] of ways.entries()) {
      expect(faultsOfSplit(way)).toEqual([]);
      expect(faultsOfSplit({ ...way, ...ways[(at + 1) % 3] })).toEqual([
        '/records give exactly one of "records", "maxBytes" and "units"',
      ]);
    }
    expect(faultsOfSplit({})).toHaveLength(1);
    expect(faultsOfSplit(Object.assign({}, ...ways) as object)).toHaveLength(1);
    const range = { kind: 'range', name: 'k', from: 0, to: 9 };
    for (const about of [{}, { step: 1, units: 1 }])
      expect(faultsOf(split, { ...range, ...about })).toEqual([
        '/step give exactly one of "step" and "units"',
      ]);
    const bytes = { kind: 'bytes', name: 'w', input: 'sky', windowBytes: 4 };
    expect(faultsOf(split, { ...bytes, overlapBytes: 3 })).toEqual([]);
    expect(faultsOf(split, { ...bytes, overlapBytes: 4 })).toEqual([
      '/overlapBytes must be smaller than windowBytes',
    ]);
  });

  it('is refused with its place, never by an exception', () => {
    const limits = jobLimits.safeParse({ maxCycles: 'many' });
    expect(limits.error?.issues.map(({ path }) => path)).toEqual([['maxCycles']]);
    expect(jobLimits.safeParse({ maxCycles: '0' }).success).toBe(false);
    expect(jobLimits.safeParse({ maxCycles: String(LIMITS.maxCycles + 1n) }).success).toBe(false);
  });
});
