import { expect, it } from 'vitest';
import { translateError } from './problem.filter.js';

it.each([
  ['ENOSPC', /full/],
  ['EDQUOT', /quota/],
  ['EROFS', /read-only/],
])('a disk that takes nothing (%s) is told as such', (code, detail) => {
  const problem = translateError(Object.assign(new Error('open'), { code }));
  expect(problem.code).toBe('insufficient-storage');
  expect(problem.message).toMatch(detail);
});

it.each([
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
  'Query runner already released. Cannot run queries anymore.',
  'Database connection provided by a query runner was already released, cannot continue to use its querying methods anymore.',
])('a connection that broke in use (%s) is told as something that passes', (message) => {
  expect(translateError(new Error(message)).code).toBe('unavailable');
});
