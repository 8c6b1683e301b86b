import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { DatabaseUnsuitedError } from './data-source.js';
import { whyUnusable } from './database-unusable.js';

const ADDRESSES = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

it('tells what happened at each address of a server', async () => {
  const socket = connect({
    host: 'localhost',
    port: 1,
    lookup: (_name, _options, callback) => callback(null, ADDRESSES),
  });
  const [error] = (await once(socket, 'error')) as [unknown]; // `as`: what an error event carries
  expect(error).toBeInstanceOf(AggregateError);
  expect(whyUnusable(error)).toMatch(/^connect ECONNREFUSED 127\.0\.0\.1:1, connect \w+ ::1/);
});

it('tells what a server answers, and nothing of what is no fault of the database', () => {
  const refusal = (code: string) => Object.assign(new Error(`refused with ${code}`), { code });
  expect(whyUnusable(refusal('28P01'))).toBe('refused with 28P01');
  expect(whyUnusable(new DatabaseUnsuitedError('it is newer'))).toBe('it is newer');
  expect(whyUnusable(refusal('42601'))).toBeNull();
  expect(whyUnusable(new TypeError('a mistake of ours'))).toBeNull();
});

it('tells what the server advises', () => {
  const refusal = Object.assign(new Error('permission denied'), { code: '42501', hint: 'Ask its owner.' });
  expect(whyUnusable(refusal)).toBe('permission denied (Ask its owner.)');
});
