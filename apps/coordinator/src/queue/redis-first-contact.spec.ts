import { expect, it } from 'vitest';
import { ConfigError } from '../config/index.js';
import { FirstContact } from './redis-first-contact.js';

const failed = (message: string, code?: string): Error => Object.assign(new Error(message), { code });

function contact(): { told: string[]; first: FirstContact } {
  const told: string[] = [];
  return { told, first: new FirstContact((trouble) => told.push(trouble)) };
}

it('each reason is told once, also where two of them take turns', () => {
  const { told, first } = contact();
  for (let turn = 0; turn < 3; turn += 1) {
    first.hear(failed('connect ECONNREFUSED 127.0.0.1:6379', 'ECONNREFUSED'));
    first.hearNothing(5000);
    first.hear(failed('read ECONNRESET', 'ECONNRESET'));
    first.hear(failed('write EPIPE', 'EPIPE'));
  }
  expect(told).toEqual([
    'connect ECONNREFUSED 127.0.0.1:6379',
    expect.stringMatching(/^it ends connections as they begin/),
  ]);
});

it('what only the operator can change ends the wait, and what passes does not', async () => {
  const { first } = contact();
  first.hear(failed('READONLY You can not write against a read only replica.'));
  await expect(first.wait(Promise.resolve('answered'))).resolves.toBe('answered');
  first.hear(failed('WRONGPASS invalid username-password pair'));
  await expect(first.wait(new Promise(() => undefined))).rejects.toBeInstanceOf(ConfigError);
});

it('what is wrong later is left to the queues', () => {
  const { told, first } = contact();
  first.made();
  first.hear(failed('connect ECONNREFUSED 127.0.0.1:6379', 'ECONNREFUSED'));
  expect(told).toEqual([]);
});
