import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { submitJob } from './jobs.js';
import { schemaFaults } from './schema-faults.js';

const SPLIT = { kind: 'range', name: 'k', from: 0, to: 9, step: 1 };

/** What is said of a job with these fields, as lines. */
function faultsOf(spec: object, schema: z.ZodType = submitJob): string[] {
  const value = { project: 'p', spec: { name: 'job', app: 'app@1', split: [SPLIT], ...spec } };
  const parsed = schema.safeParse(value);
  if (parsed.success) return [];
  return schemaFaults(schema, value, parsed.error.issues).map(
    ({ pointer, detail }) => `${pointer} ${detail}`,
  );
}

describe('what is wrong with a job', () => {
  it('is that a field is missing', () => {
    expect(faultsOf({ app: undefined })).toEqual(['/spec/app is missing']);
    expect(faultsOf({ split: [{ ...SPLIT, name: undefined }] })).toEqual(['/spec/split/0/name is missing']);
  });

  it('is a field that nobody knows, with the one that was probably meant', () => {
    expect(faultsOf({ Inputs: {}, limits: { memoryMB: 64 } })).toEqual([
      '/spec/limits/memoryMB is not a known field: did you mean "memoryMiB"?',
      '/spec/Inputs is not a known field: did you mean "inputs"?',
    ]);
    expect(faultsOf({ split: [{ ...SPLIT, stepp: 2 }], replication: { quorun: 3 } })).toEqual([
      '/spec/split/0/stepp is not a known field: did you mean "step"?',
      '/spec/replication/quorun is not a known field: did you mean "quorum"?',
    ]);
    expect(faultsOf({ merge: { kind: 'sum', colour: 'red' } })[0]).toMatch(
      /^\/spec\/merge\/colour is not a known field: there are kind, /,
    );
  });

  it('is what was given instead of what is wanted', () => {
    expect(faultsOf({ args: 'all', share: 1.5, name: 7 })).toEqual([
      '/spec/name must be a string, not 7',
      '/spec/args must be an array, not "all"',
      '/spec/share must be a whole number, not 1.5',
    ]);
    expect(faultsOf({ merge: { kind: 'average' } })).toEqual([
      '/spec/merge/kind must be "concat" or "lines" or "sum", not "average"',
    ]);
    expect(faultsOf({ replication: { distinct: 'person' } })).toEqual([
      '/spec/replication/distinct must be "account" or "host", not "person"',
    ]);
  });

  it('is too little or too much', () => {
    expect(faultsOf({ share: 0, split: [] })).toEqual([
      '/spec/split must have at least 1 items',
      '/spec/share must be at least 1',
    ]);
  });

  it('is what a schema says in words of its own, where it does', () => {
    expect(faultsOf({ taskDeadline: 'soon' })).toEqual([
      '/spec/taskDeadline must be an ISO 8601 duration such as PT6H',
    ]);
  });

  it('is pointed at with the escapes of RFC 6901', () => {
    const schema = z.object({ spec: z.object({ 'a/b~c': z.string() }) });
    expect(faultsOf({}, schema)).toEqual(['/spec/a~1b~0c is missing']);
  });
});
