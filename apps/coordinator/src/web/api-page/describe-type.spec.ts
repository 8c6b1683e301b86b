import { describe, expect, it } from 'vitest';
import { demandsOf, describeType } from './describe-type.js';
import { markup } from './html.js';

const text = (schema: unknown): string => describeType(schema).text;

describe('a schema as people read it', () => {
  it.each([
    [{ type: 'integer' }, 'number'],
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ enum: ['day', 'week'] }, '&quot;day&quot; | &quot;week&quot;'],
    [{ const: 1 }, '1'],
    [{ type: 'array', items: { $ref: '#/components/schemas/Team' } }, '<a href="#type-Team">Team</a>[]'],
    [{ anyOf: [{ type: 'boolean' }, { type: 'null' }] }, 'boolean | null'],
    [{ type: 'array', items: { type: ['string', 'null'] } }, '(string | null)[]'],
    [{ type: 'array', items: { enum: ['only'] } }, '&quot;only&quot;[]'],
    [{ type: 'object' }, '{}'],
    [{}, 'unknown'],
    ['nonsense', 'unknown'],
  ])('%j', (schema, expected) => {
    expect(text(schema)).toBe(expected);
  });

  it('has a line for each member, with what it demands and whether it may be missing', () => {
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string', maxLength: 80, description: 'As <b>shown</b>.' },
        rank: { type: 'integer' },
      },
      required: ['name'],
      additionalProperties: { type: 'number' },
    };
    expect(text(schema)).toBe(`{
  name: string; <i>// at most 80 characters; As &lt;b&gt;shown&lt;/b&gt;.</i>
  rank?: number;
  [name: string]: number;
}`);
  });

  it.each([
    [{ type: 'integer', minimum: 1, maximum: 9 }, '1 to 9'],
    [{ type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, ''],
    [{ type: 'string', minLength: 3 }, 'at least 3 characters'],
    [{ type: 'string', format: 'date-time', pattern: '^x$' }, 'date-time'],
    [{ type: 'string', pattern: '^x$', default: 'x' }, 'matches ^x$; "x" where it is left out'],
  ])('demands of %j', (schema, expected) => {
    expect(demandsOf(schema)).toBe(expected);
  });
});

it('escapes whatever is put into HTML and is none', () => {
  expect(markup`<b title="${'"\'<&>'}">${1}${markup`<i></i>`}${[markup`a`, markup`b`]}</b>`.text).toBe(
    '<b title="&quot;&#39;&lt;&amp;&gt;">1<i></i>ab</b>',
  );
});
