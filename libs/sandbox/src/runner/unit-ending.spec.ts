import { describe, expect, it } from 'vitest';
import { STOP } from '../abi.js';
import { StopUnit } from '../wasi/stop-unit.js';
import type { UnitTrapKind } from './types.js';
import { endingOf } from './unit-ending.js';

const trap = (message: string) => new WebAssembly.RuntimeError(message);

describe('endingOf', () => {
  it.each<[UnitTrapKind, string[]]>([
    ['unreachable', ['unreachable', 'unreachable executed', 'Unreachable code should not be executed']],
    [
      'memory-out-of-bounds',
      [
        'memory access out of bounds',
        'index out of bounds',
        'Out of bounds memory access',
        'WebAssembly.Instance(): data segment 0 is out of bounds (offset 65536 + size 1 > memory_size 65536 bytes)',
        'table index is out of bounds',
        'table access out of bounds',
        'Out of bounds table access',
        'Out of bounds call_indirect',
      ],
    ],
    [
      'indirect-call-mismatch',
      [
        'null function or function signature mismatch',
        'null function',
        'function signature mismatch',
        'indirect call to null',
        'indirect call signature mismatch',
        'call_indirect to a null table entry',
      ],
    ],
    [
      'integer-divide-by-zero',
      ['divide by zero', 'remainder by zero', 'integer divide by zero', 'Division by zero'],
    ],
    [
      'integer-overflow',
      [
        'divide result unrepresentable',
        'integer overflow',
        'Integer overflow',
        'float unrepresentable in integer range',
        'invalid conversion to integer',
        'Out of bounds Trunc operation',
      ],
    ],
  ])('finds %s in what the engines say', (trapKind, messages) => {
    for (const message of messages) {
      expect(endingOf(trap(message), STOP.none)).toMatchObject({ outcome: 'trap', trapKind, message });
    }
  });

  it.each([
    [STOP.cycles, { outcome: 'cycle-limit', trapKind: null }],
    [STOP.stack, { outcome: 'trap', trapKind: 'stack-exhausted' }],
    [STOP.hostMemory, { outcome: 'infrastructure', trapKind: null }],
  ])('takes an unreachable of rewritten code (stop %i) for what it means', (stop, ending) => {
    expect(endingOf(trap('unreachable'), stop)).toMatchObject(ending);
  });

  it.each([
    [new StopUnit({ kind: 'exit', code: 0 }), { outcome: 'ok', exitCode: 0 }],
    [new StopUnit({ kind: 'exit', code: 3 }), { outcome: 'exit', exitCode: 3 }],
    [new StopUnit({ kind: 'cycle-limit' }), { outcome: 'cycle-limit' }],
    [new StopUnit({ kind: 'output-limit' }), { outcome: 'output-limit' }],
  ])('takes the host call that stopped the unit at its word: %o', (stop, ending) => {
    expect(endingOf(stop, STOP.none)).toMatchObject(ending);
  });

  it.each([
    trap('something that no engine has said before'),
    new RangeError('Maximum call stack size exceeded'),
    new RangeError('Array buffer allocation failed'),
    new WebAssembly.LinkError('import object field is not a Function'),
    'no error at all',
  ])('never blames the app for %s', (error) => {
    expect(endingOf(error, STOP.none)).toMatchObject({ outcome: 'infrastructure', trapKind: null });
  });
});
