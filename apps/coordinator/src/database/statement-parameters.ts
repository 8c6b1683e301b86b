import { plainArray, textArray, tokenArray } from './pg-array.js';

/** A column of the rows that a statement gets as arrays. */
interface ColumnOf<Row> {
  /** Postgres' type of one element. */
  readonly type: string;
  readonly array: (rows: readonly Row[]) => string;
}

/** What columns of such rows can hold. */
class ColumnKinds<Row> {
  /** Numbers and booleans. */
  plain(type: string, of: (row: Row) => number | bigint | boolean | null): ColumnOf<Row> {
    return { type, array: (rows) => plainArray(rows.map(of)) };
  }

  /** Decimal ids, hexadecimal digests, states: text known to hold only letters, digits and hyphens. */
  token(type: string, of: (row: Row) => string | null): ColumnOf<Row> {
    return { type, array: (rows) => tokenArray(rows.map(of)) };
  }

  text(of: (row: Row) => string | null): ColumnOf<Row> {
    return { type: 'text', array: (rows) => textArray(rows.map(of)) };
  }
}

/** What a statement is run with: each value stands beside its placeholder, so that the two cannot get out of step. */
export class StatementParameters<Input> {
  readonly #values: Array<(input: Input) => unknown> = [];

  /** The placeholder of one value, for as many places as need it. */
  value(of: (input: Input) => unknown): string {
    return `$${this.#values.push(of)}`;
  }

  /** `unnest(…) AS name(column, …)`: a row of it for each that `of` gives. */
  rows<Row>(
    name: string,
    of: (input: Input) => readonly Row[],
    columnsOf: (kinds: ColumnKinds<Row>) => Readonly<Record<string, ColumnOf<Row>>>,
  ): string {
    const columns = columnsOf(new ColumnKinds());
    const arrays = Object.values(columns).map(
      ({ type, array }) => `${this.value((input) => array(of(input)))}::${type}[]`,
    );
    return `unnest(${arrays.join(', ')}) AS ${name}(${Object.keys(columns).join(', ')})`;
  }

  /** The values of a run, in the order of their placeholders. */
  of(input: Input): unknown[] {
    return this.#values.map((valueOf) => valueOf(input));
  }
}
