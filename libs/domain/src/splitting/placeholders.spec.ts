import { jobSpec, LIMITS, type JobSpecInput } from '@gleaner/protocol';
import { describe, expect, it } from 'vitest';
import { checkJobSpec } from './check-job-spec.js';
import { substituteArgs, windowEnv } from './placeholders.js';

const params = { chirp: { from: -560, to: 600, index: 3 }, g: { model: 'x{chirp.to}' } };

describe('substituteArgs', () => {
  it('fills every placeholder of an argument once, and leaves other braces alone', () => {
    expect(
      substituteArgs(['--range={chirp.from}:{chirp.to}', '{"a":{"b":1}}', '{g.model}', '{}'], params),
    ).toEqual(['--range=-560:600', '{"a":{"b":1}}', 'x{chirp.to}', '{}']);
  });

  it('prints {{name.key}} as {name.key}', () => {
    expect(substituteArgs(['{{chirp.from}}', '{{chirp.from}', '{chirp.from}}'], params)).toEqual([
      '{chirp.from}',
      '{-560',
      '-560}',
    ]);
  });

  it('refuses a placeholder without a value', () => {
    expect(() => substituteArgs(['{chirp.step}'], params)).toThrow(
      'no value for {chirp.step} in "{chirp.step}"',
    );
  });
});

describe('windowEnv', () => {
  it('names the input only where there are several', () => {
    expect(windowEnv({ tape: { offset: 12, length: 5 } })).toEqual({ GLEANER_OFFSET: '12' });
    expect(windowEnv({ a: { offset: 1, length: 5 }, b: { offset: 2, length: 5 } })).toEqual({
      GLEANER_OFFSET_a: '1',
      GLEANER_OFFSET_b: '2',
    });
    expect(windowEnv({})).toEqual({});
  });
});

describe('checkJobSpec', () => {
  const check = (about: Partial<JobSpecInput>) =>
    checkJobSpec(
      jobSpec.parse({
        name: 'n',
        app: 'a@1',
        inputs: { tape: `sha256:${'0'.repeat(64)}` },
        split: [{ kind: 'range', name: 'k', from: 0, to: 9, step: 1 }],
        ...about,
      }),
    );

  it('accepts a sound job file', () => {
    const env = { LANG: 'C', MY_GLEANER_KEY: '1' };
    expect(check({ args: ['/input/tape', '{k.from}', '{k.index}'], env })).toEqual([]);
  });

  it.each([
    ['{k.to', '{k.to'],
    ['--to={ k.to }', '{ k.to }'],
    ['{k.from}..{k.t-o:', '{k.t-o:'],
    ['{k.}', '{k.}'],
  ])('points at what only begins as a placeholder: %s', (arg, text) => {
    const detail = `"${text}" is no placeholder; known are {k.from}, {k.to}, {k.index}`;
    expect(check({ args: [arg] })).toEqual([{ pointer: '/args/0', detail }]);
  });

  it('points at what only begins as the placeholder of one of several splits', () => {
    const splits = ['k', 'l'].map((name) => ({ kind: 'range' as const, name, from: 0, to: 9, step: 1 }));
    expect(check({ split: splits, args: ['{k.to'] }).map(({ pointer }) => pointer)).toEqual(['/args/0']);
  });

  it.each(['{"k.to":1}', '{x.to', '{k', '{k}', '{{k.to}}', '{{k.to', 'k.to}', '{kk.to'])(
    'leaves other braces alone: %s',
    (arg) => {
      expect(check({ args: [arg] })).toEqual([]);
    },
  );

  it('points at each unknown placeholder', () => {
    expect(check({ args: ['ok', '{k.form}{x.to}'] })).toEqual([
      {
        pointer: '/args/1',
        detail: '{k.form} is not filled by any split; known are {k.from}, {k.to}, {k.index}',
      },
      {
        pointer: '/args/1',
        detail: '{x.to} is not filled by any split; known are {k.from}, {k.to}, {k.index}',
      },
    ]);
  });

  it('points at missing inputs, names used twice and inputs cut twice', () => {
    const split: JobSpecInput['split'] = [
      { kind: 'bytes', name: 'k', input: 'tape', windowBytes: 5 },
      { kind: 'bytes', name: 'k', input: 'tape', windowBytes: 5 },
      { kind: 'records', name: 'r', input: 'nothing', delimiter: '\n', records: 1 },
    ];
    expect(check({ split }).map(({ pointer }) => pointer)).toEqual([
      '/split/1/name',
      '/split/1/input',
      '/split/2/input',
    ]);
  });

  it('points at reserved environment names, outputs listed twice and ranges beyond exact integers', () => {
    const wide = { kind: 'range' as const, name: 'k', from: -9e15, to: 9e15, units: 2 };
    const faults = check({ env: { GLEANER_OFFSET: '1' }, outputs: ['stdout', 'stdout'], split: [wide] });
    expect(faults.map(({ pointer }) => pointer)).toEqual([
      '/split/0/to',
      '/env/GLEANER_OFFSET',
      '/outputs/1',
    ]);
  });

  it('counts the longest texts that one unit gets of all grids', () => {
    const text = 'x'.repeat(LIMITS.argBytes);
    const grid = (name: string, lists: Record<string, (string | number)[]>) => ({
      kind: 'grid' as const,
      name,
      lists,
    });
    const full = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((list) => [list, [1, text, '']]));
    const split = [grid('k', full), grid('l', { h: [text, text] })];
    expect(check({ split })).toEqual([]);
    expect(check({ split: [...split, grid('m', { i: [7] })] })).toEqual([
      {
        pointer: '/split',
        detail: 'a unit may get grid values of 32769 characters in all; at most 32768 are allowed',
      },
    ]);
  });

  it('counts what arguments may grow to by the values that they name again and again', () => {
    const grid = { kind: 'grid' as const, name: 'g', lists: { a: ['', 'x'.repeat(LIMITS.argBytes)] } };
    const split: JobSpecInput['split'] = [grid, { kind: 'range', name: 'k', from: 0, to: 9, step: 1 }];
    const full = Array.from({ length: 7 }, () => '{g.a}');
    expect(check({ split, args: [...full, '{g.a}'] })).toEqual([]);
    expect(check({ split, args: [...full, '{{g.a}}{k.from}', 'x'.repeat(4096 - 5 - 17)] })).toEqual([]);
    expect(check({ split, args: [...full, '{{g.a}}{k.from}', 'x'.repeat(4096 - 5 - 16)] })).toEqual([
      {
        pointer: '/args',
        detail: 'a unit may get arguments of 32769 characters in all; at most 32768 are allowed',
      },
    ]);
  });
});
