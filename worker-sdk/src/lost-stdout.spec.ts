import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { tellLostStdout } from './lost-stdout.js';

class Program extends EventEmitter {
  exitCode: number | undefined;
  readonly stdout = new EventEmitter();
  readonly told: string[] = [];
  readonly stderr = Object.assign(new EventEmitter(), { write: (text: string) => this.told.push(text) });
}

/** A program whose writes fail like this, and which then ends with `exitCode`. */
function endedAfter(codes: readonly string[], exitCode: number, isAnswer?: boolean): Program {
  const program = new Program();
  tellLostStdout(program, 'gleaner', isAnswer === undefined ? {} : { isAnswer });
  for (const code of codes) program.stdout.emit('error', Object.assign(new Error(`${code}: why`), { code }));
  program.exitCode = exitCode;
  program.emit('exit');
  return program;
}

it('an answer that could not be written is told once, and the program does not succeed', () => {
  const { told, exitCode } = endedAfter(['ENOSPC', 'ENOSPC'], 0);
  expect(told).toEqual(['gleaner: Cannot write to stdout: ENOSPC: why\n']);
  expect(exitCode).toBe(1);
});

it('a line of a log that could not be written is told, and the program ends as it would have', () => {
  const { told, exitCode } = endedAfter(['ENOSPC'], 0, false);
  expect(told).toHaveLength(1);
  expect(exitCode).toBe(0);
});

it('a program that failed otherwise ends as it would have', () => {
  expect(endedAfter(['EIO'], 3).exitCode).toBe(3);
});

it('a reader who has seen enough is nothing to tell', () => {
  const { told, exitCode } = endedAfter(['EPIPE'], 0);
  expect(told).toEqual([]);
  expect(exitCode).toBe(0);
});

it('a program whose stderr nobody reads goes on', () => {
  const program = new Program();
  tellLostStdout(program, 'gleaner');
  expect(() => program.stderr.emit('error', new Error('gone'))).not.toThrow();
});
