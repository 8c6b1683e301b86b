import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { JSON_BOUNDS } from './bounded-json.js';
import { InvalidRequestError } from './domain-error.js';
import { SchemaValidationPipe } from './schema-validation.pipe.js';

const pipe = new SchemaValidationPipe();
const schema = z.strictObject({
  spec: z.strictObject({ list: z.array(z.number()), 'a/b~c': z.string().optional() }),
});

async function errorsOf(value: unknown, type: 'body' | 'query' | 'param', data?: string): Promise<unknown> {
  try {
    await pipe.transform(value, { type, schema, ...(data === undefined ? {} : { data }) });
  } catch (error) {
    if (error instanceof InvalidRequestError) return error.errors;
    throw error;
  }
  throw new Error('the value was accepted');
}

describe('validation', () => {
  it('points into the body with JSON pointers, escaped as RFC 6901 says', async () => {
    expect(await errorsOf({ spec: { list: [1, 'two'], 'a/b~c': 7 } }, 'body')).toMatchObject([
      { pointer: '/spec/list/1' },
      { pointer: '/spec/a~1b~0c' },
    ]);
  });

  it.each(['__proto__', 'constructor', 'prototype'])(
    'refuses a field named %s, and drops none',
    async (key) => {
      const body: unknown = JSON.parse(`{"spec": {"list": [], "${key}": {"x": 1}}}`);
      expect(await errorsOf(body, 'body')).toEqual([
        { pointer: `/spec/${key}`, detail: 'is not a known field' },
      ]);
    },
  );

  it('names each field that nobody knows', async () => {
    expect(await errorsOf({ spec: { list: [], x: 1, y: 2 } }, 'body')).toEqual([
      { pointer: '/spec/x', detail: 'is not a known field: there are list, a/b~c' },
      { pointer: '/spec/y', detail: 'is not a known field: there are list, a/b~c' },
    ]);
  });

  it('points at the whole body where that is wrong', async () => {
    expect(await errorsOf(undefined, 'body')).toMatchObject([{ pointer: '' }]);
    expect(await errorsOf(null, 'body')).toMatchObject([
      { pointer: '', detail: 'must be an object, not null' },
    ]);
  });

  it('looks into nothing but what JSON is made of', async () => {
    const circle = new (class Circle {
      readonly self = this;
    })();
    for (const value of [new PassThrough(), new Map(), new Uint8Array(1), circle]) {
      expect(await errorsOf(value, 'body')).toEqual([{ pointer: '', detail: 'is not JSON' }]);
      expect(await errorsOf({ spec: { list: [value] } }, 'body')).toEqual([
        { pointer: '/spec/list/0', detail: 'is not JSON' },
      ]);
    }
  });

  it('looks no further than anything can be right, and says where that ends', async () => {
    const many = (length: number): number[] => Array<number>(length).fill(0);
    const fields = (count: number) => Object.fromEntries(many(count).map((_, at) => [`f${at}`, at]));
    const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    const { items, fields: most, fieldLength, values, depth } = JSON_BOUNDS;
    expect(await errorsOf({ spec: { list: many(items + 1) } }, 'body')).toEqual([
      { pointer: '/spec/list', detail: `must have at most ${items} items` },
    ]);
    expect(await errorsOf({ spec: fields(most + 1) }, 'body')).toEqual([
      { pointer: '/spec', detail: `must have at most ${most} fields` },
    ]);
    expect(await errorsOf({ spec: { ['x'.repeat(fieldLength + 1)]: 1 } }, 'body')).toMatchObject([
      { pointer: '/spec' },
    ]);
    const wide = Array.from({ length: values / items + 1 }, () => many(items));
    expect(await errorsOf({ spec: wide }, 'body')).toMatchObject([{ pointer: '' }]);
    expect(await errorsOf(nested(depth + 2), 'body')).toMatchObject([{ pointer: '/0'.repeat(depth) }]);
    expect(await errorsOf(nested(1_000_000), 'body')).toHaveLength(1);
    const whole = { spec: { list: many(items) } };
    expect(await pipe.transform(whole, { type: 'body', schema })).toEqual(whole);
  });

  it('takes parameters as the framework parses them, without a prototype or with an empty one', async () => {
    const spec = { list: [1] };
    const bare = { __proto__: null, spec };
    const derived = { __proto__: { __proto__: null }, spec };
    for (const value of [bare, derived]) {
      expect(await pipe.transform(value, { type: 'query', schema })).toEqual({ spec });
    }
  });

  it('names parameters', async () => {
    expect(await errorsOf({ spec: 1 }, 'query')).toMatchObject([{ pointer: '/spec' }]);
    expect(await errorsOf('x', 'param', 'id')).toMatchObject([{ pointer: '/id' }]);
  });

  it('answers a document full of mistakes with the first twenty', async () => {
    const list = Array.from({ length: 10_000 }, () => 'x');
    expect(await errorsOf({ spec: { list } }, 'body')).toHaveLength(20);
  });
});
