import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { createProgram, exitCodeOf } from './program.js';

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
  it('that is stopped while it waits, as for a coordinator that is away, ends as a stopped command does', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const signal = AbortSignal.abort(new DOMException('stopped by a signal', 'AbortError'));
    const stopped: unknown = await delay(1_000, undefined, { signal }).catch((error: unknown) => error);
    expect(exitCodeOf(stopped)).toBe(130);
    expect(exitCodeOf(signal.reason)).toBe(130);
    expect(said).not.toHaveBeenCalled();
    said.mockRestore();
  });

  it.each([
    ['up', ['--port', '--data', '--open']],
    ['demo', ['--exit', '--tape', '--chirp']],
    ['app publish', ['--name', '--version']],
    ['app approve', []],
    ['app check', []],
    ['blob put', ['--gunzip']],
    ['blob get', ['--output']],
    ['blob list', ['--limit']],
    ['blob delete', []],
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
