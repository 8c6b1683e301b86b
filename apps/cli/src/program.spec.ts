import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from './program.js';

/* Scripts of others, and benchmarks, rely on these names. */

function commandAt(words: string): Command | undefined {
  return words
    .split(' ')
    .reduce<Command | undefined>(
      (parent, word) => parent?.commands.find((command) => command.name() === word),
      createProgram(),
    );
}

describe('the command line', () => {
  it.each([
    ['up', ['--port', '--data', '--open']],
    ['demo', ['--exit', '--tape', '--chirp']],
    ['app publish', ['--name', '--version']],
    ['app approve', []],
    ['app check', []],
    ['blob put', ['--gunzip']],
    ['blob get', ['--output']],
    ['job submit', ['--watch']],
    ['job estimate', []],
    ['job status', []],
    ['job results', ['--output']],
    ['job cancel', []],
    ['job list', []],
    ['job delete', []],
    ['run', ['--local', '--units']],
    ['sandbox run', ['--input', '--env', '--max-cycles']],
    ['import sah', []],
    ['token create', ['--scopes', '--expires', '--account']],
  ])('has "%s", which takes what is its own and what every command takes', (words, own) => {
    const command = commandAt(words);
    const everywhere = ['--json', '--url', '--token'];
    expect(command?.options.map(({ long }) => long)).toEqual(expect.arrayContaining([...own, ...everywhere]));
    expect(command?.description()).not.toBe('');
    const shown = command?.options.filter(({ hidden }) => !hidden) ?? [];
    expect(shown.filter(({ description }) => description === '')).toEqual([]);
  });

  it.each([
    ['blob get', '-o'],
    ['job results', '-o'],
  ])('writes what "%s" fetches to the file of %s', (words, short) => {
    expect(commandAt(words)?.options.find((option) => option.short === short)?.long).toBe('--output');
  });
});
