import { describe, expect, it } from 'vitest';
import { createProgram } from './program.js';

const { commands } = createProgram(['gleaner-agent']);

describe('the agent’s command line', () => {
  it('has the commands that a volunteer is told of', () => {
    const names = [
      'attach',
      'detach',
      'finish',
      'install',
      'pause',
      'prefs',
      'resume',
      'run',
      'status',
      'top',
    ];
    expect(commands.map((command) => command.name()).sort()).toEqual([...names, 'uninstall']);
  });

  it.each(commands.map((command) => [command.name(), command] as const))(
    'takes the same options in "%s" as everywhere, and says what each is for',
    (_name, command) => {
      const flags = command.options.map((option) => option.flags);
      expect(flags).toContain('--data <dir>');
      expect(flags).toContain('--json');
      expect(new Set(flags).size).toBe(flags.length);
      expect(command.description()).not.toBe('');
      expect(command.options.filter(({ description }) => description === '')).toEqual([]);
    },
  );
});
