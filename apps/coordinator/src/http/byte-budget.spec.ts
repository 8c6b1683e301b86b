import { expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.js';

const budget = () => new ByteBudget({ maxBytes: 100, maxBytesEach: 60 });
const busy = expect.objectContaining({ code: 'server-busy' }) as Error;

it('one caller has its share and no more, whatever is left', () => {
  const bytes = budget();
  bytes.take('ada', 60);
  expect(() => bytes.take('ada', 1)).toThrow(busy);
  bytes.take('bob', 40);
});

it('all callers together have what there is', () => {
  const bytes = budget();
  bytes.take('ada', 60);
  expect(() => bytes.take('bob', 41)).toThrow(busy);
});

it('what was given back can be taken again, and is given back once', () => {
  const bytes = budget();
  const giveBack = bytes.take('ada', 60);
  bytes.take('bob', 40);
  giveBack();
  giveBack();
  bytes.take('ada', 60);
  expect(() => bytes.take('eve', 1)).toThrow(busy);
});
