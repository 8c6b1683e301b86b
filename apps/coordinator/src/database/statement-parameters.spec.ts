import { expect, it } from 'vitest';
import { StatementParameters } from './statement-parameters.js';

interface Input {
  readonly least: number;
  readonly fruits: ReadonlyArray<{
    readonly name: string;
    readonly kind: string;
    readonly count: bigint | null;
  }>;
}

it('gives each value the placeholder at which it is sent', () => {
  const parameters = new StatementParameters<Input>();
  const least = parameters.value((input) => input.least);
  const fruits = parameters.rows(
    'f',
    (input) => input.fruits,
    (column) => ({
      name: column.text(({ name }) => name),
      kind: column.token('kind', ({ kind }) => kind),
      count: column.plain('bigint', ({ count }) => count),
    }),
  );
  expect(`SELECT FROM ${fruits} WHERE f.count > ${least}`).toBe(
    'SELECT FROM unnest($2::text[], $3::kind[], $4::bigint[]) AS f(name, kind, count) WHERE f.count > $1',
  );
  const sent = parameters.of({
    least: 3,
    fruits: [
      { name: 'a "pear"', kind: 'pome', count: 5n },
      { name: 'plum', kind: 'stone', count: null },
    ],
  });
  expect(sent).toEqual([3, '{"a \\"pear\\"","plum"}', '{pome,stone}', '{5,NULL}']);
});
