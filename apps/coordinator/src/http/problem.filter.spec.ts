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

it.each([
  ['08P01', 'unavailable', /connection/],
  ['25006', 'unavailable', /read-only/],
  ['28P01', 'unavailable', /let the coordinator in/],
  ['40P01', 'server-busy', /Others/],
  ['53100', 'unavailable', /its disk is full/],
  ['53300', 'server-busy', /no free connection/],
  ['53400', 'unavailable', /limits/],
  ['57P02', 'unavailable', /restarting/],
  ['58030', 'unavailable', /cannot use its files/],
])('a database in trouble (%s) is told as something that passes or is mended', (code, as, detail) => {
  const problem = translateError(Object.assign(new Error('as it says itself'), { code }));
  expect(problem.code).toBe(as);
  expect(problem.message).toMatch(detail);
});

it('a statement that is wrong is no trouble of the database', () => {
  expect(translateError(Object.assign(new Error('no such column'), { code: '42703' })).code).toBe('internal');
});
