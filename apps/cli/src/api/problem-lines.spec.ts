import type { Problem } from '@gleaner/protocol';
import { expect, it } from 'vitest';
import { problemLines } from './problem-lines.js';

const PROBLEM: Problem = {
  type: 'urn:gleaner:problem:invalid-job',
  title: 'Not a valid job',
  status: 422,
  code: 'invalid-job',
};
const ERRORS = [
  { pointer: '/app', detail: 'there is no such app' },
  { pointer: '/inputs/genomes', detail: 'there is no such blob' },
];
const FAULTS = ['  /app: there is no such app', '  /inputs/genomes: there is no such blob'];

it.each([
  ['all faults in a row', '/app: there is no such app; /inputs/genomes: there is no such blob', []],
  ['one of its faults', '/app: there is no such app', []],
  ['its title', 'Not a valid job', []],
  ['more than that', 'The project has none of it.', ['The project has none of it.']],
])('a problem whose detail is %s is told once', (_what, detail, told) => {
  expect(problemLines({ ...PROBLEM, detail, errors: ERRORS })).toEqual([
    'Not a valid job (422 invalid-job)',
    ...told,
    ...FAULTS,
  ]);
});
