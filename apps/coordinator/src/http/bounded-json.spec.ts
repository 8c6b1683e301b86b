import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_BOUNDS, requireBoundedText } from './bounded-json.js';
import { InvalidRequestError } from './domain-error.js';

const { depth, values } = JSON_BOUNDS;

describe('JSON of more than anything takes', () => {
  it.each([
    ['items', `[${'0,'.repeat(values)}0]`],
    ['arrays', `[${'[],'.repeat(values / 2)}[]]`],
    ['fields', `{${'"a":1,'.repeat(values)}"a":1}`],
    ['levels of arrays', '['.repeat(depth + 2)],
    ['levels of objects', '{"a":'.repeat(depth + 2)],
    ['items behind a quote that a string holds', `["\\\\\\"",${'0,'.repeat(values)}0]`],
  ])('is refused before it is parsed: %s', (_what, text) => {
    expect(() => requireBoundedText(text)).toThrow(InvalidRequestError);
  });

  it('is not seen in text, however much it looks like it', () => {
    for (const text of ['['.repeat(1_000), ','.repeat(values + 1), '\\"[', '"'.repeat(values + 1), '\\']) {
      expect(() => requireBoundedText(JSON.stringify([text, { [text]: text }]))).not.toThrow();
    }
  });

  it('is not seen in any small document, nor in what is no JSON', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json({ maxDepth: 5 }), fc.string()), (text) => {
        expect(() => requireBoundedText(text)).not.toThrow();
      }),
    );
  });
});
