import { describe, expect, it } from 'vitest';
import { ABI } from '../abi.js';
import { ByteWriter } from '../binary/byte-writer.js';
import { INSTRUCTIONS, type Immediates, type Instruction } from '../binary/opcodes.js';
import { binaryModule, nameOf, vectorOf } from '../testing/binary-module.js';
import { admitModule } from './admit-module.js';
import { InstructionWriter } from './instruction-writer.js';

const LIMIT = 1_000_000n;
const RUN = 0;
const EMPTY = 1;
const FUNCREF = 0x70;
const I32 = 0x7f;
const NO_RESULT = 0x40;
const F32_3_5 = [0, 0, 0x60, 0x40];
const F64_3_5 = [0, 0, 0, 0, 0, 0, 0x0c, 0x40];
/** No lane is zero as a float of either width, so that nothing here computes NaN. */
const VECTOR = [...F32_3_5, ...F32_3_5, ...F32_3_5, ...F32_3_5];

/** What pushes an operand by its signature letter; lengths and indices are 3, too. */
const OPERANDS: Readonly<Record<string, readonly number[]>> = {
  i: [0x41, 3],
  l: [0x42, 3],
  f: [0x43, ...F32_3_5],
  d: [0x44, ...F64_3_5],
  v: [0xfd, 0x0c, ...VECTOR],
  r: [0xd2, EMPTY],
  '*': [0x41, 3],
};

/** What stores a result where it can be seen, as a list of instructions. */
const STORES: Readonly<Record<string, readonly (readonly number[])[]>> = {
  i: [[0x36, 0, 0]],
  l: [[0x37, 0, 0]],
  f: [[0x38, 0, 0]],
  d: [[0x39, 0, 0]],
  v: [[0xfd, 0x0b, 0, 0]],
  r: [[0xd1], [0x36, 0, 0]],
  '*': [[0x36, 0, 0]],
};

const IMMEDIATES_OF: Partial<Record<Immediates, readonly number[]>> = {
  '-': [],
  index: [0],
  types: [1, I32],
  memory: [0, 8],
  memlane: [0, 8, 0],
  zero: [0],
  s32: [3],
  s64: [3],
  '4bytes': F32_3_5,
  '8bytes': F64_3_5,
  '16bytes': [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  lane: [0],
  reftype: [FUNCREF],
  datazero: [0, 0],
  zerozero: [0, 0],
  '2indices': [0, 0],
};

/** On top of its one cycle, for a length of 3: a sixteenth per byte, rounded up, or one cycle per element. */
const CHARGED_BY_LENGTH: Readonly<Record<string, number>> = {
  'memory.copy': 1,
  'memory.fill': 1,
  'memory.init': 1,
  'table.copy': 3,
  'table.fill': 3,
  'table.init': 3,
};

interface Program {
  readonly code: readonly number[];
  readonly cycles: number;
}

/** Instructions whose operands depend on more than their signature, each executed once. */
const BY_HAND: Readonly<Record<string, Program>> = {
  block: { code: [0x02, NO_RESULT, 0x0b], cycles: 0 },
  loop: { code: [0x03, NO_RESULT, 0x0b], cycles: 0 },
  end: { code: [], cycles: 0 },
  if: { code: [0x41, 1, 0x04, NO_RESULT, 0x0b], cycles: 2 },
  else: { code: [0x41, 0, 0x04, NO_RESULT, 0x05, 0x01, 0x0b], cycles: 2 },
  br: { code: [0x02, NO_RESULT, 0x0c, 0, 0x0b], cycles: 1 },
  br_if: { code: [0x02, NO_RESULT, 0x41, 1, 0x0d, 0, 0x0b], cycles: 2 },
  br_table: { code: [0x02, NO_RESULT, 0x41, 0, 0x0e, 1, 0, 0, 0x0b], cycles: 2 },
  return: { code: [0x0f], cycles: 1 },
  call: { code: [0x10, EMPTY], cycles: 1 },
  call_indirect: { code: [0x41, 5, 0x11, 0, 0], cycles: 2 },
  'local.get': { code: [0x20, 0, 0x1a], cycles: 2 },
  'local.set': { code: [0x41, 3, 0x21, 0], cycles: 2 },
  'local.tee': { code: [0x41, 3, 0x22, 0, 0x1a], cycles: 3 },
  'global.get': { code: [0x23, 0, 0x1a], cycles: 2 },
  'global.set': { code: [0x41, 3, 0x24, 0], cycles: 2 },
};

const NOT_EXECUTED = ['unreachable', 'table.grow'];

function programOf(instruction: Instruction): Program {
  const { name, code, immediates, pops, pushes } = instruction;
  const byHand = BY_HAND[name];
  if (byHand !== undefined) return byHand;
  if (pops === null || pushes === null) throw new Error(`${name} needs a program by hand`);
  const address = pushes === '' ? [] : [OPERANDS['i'] ?? []];
  const operands = [...address, ...Array.from(pops, (letter) => OPERANDS[letter] ?? [])];
  const itself = [...new InstructionWriter().op(code).view(), ...(IMMEDIATES_OF[immediates] ?? [])];
  const stores = STORES[pushes] ?? [];
  const cost = name === 'nop' ? 0 : 1 + (CHARGED_BY_LENGTH[name] ?? 0);
  return {
    code: [...operands.flat(), ...itself, ...stores.flat()],
    cycles: operands.length + cost + stores.length,
  };
}

/** `run` executes the program; all that it can change is exported. */
function moduleOf({ code }: Program): Uint8Array {
  const body = [1, 1, I32, ...code, 0x0b];
  const codes = new ByteWriter()
    .u32(2)
    .sized(new ByteWriter().raw(Uint8Array.from(body)))
    .raw(Uint8Array.of(2, 0, 0x0b));
  const [passive, active, atFive, oneFunction] = [1, 0, [0x41, 5, 0x0b], [1, EMPTY]];
  return binaryModule(
    ['type', vectorOf([0x60, 0, 0])],
    ['function', vectorOf([0], [0])],
    ['table', vectorOf([FUNCREF, 0, 10])],
    ['memory', vectorOf([1, 1, 10])],
    ['global', vectorOf([I32, 1, 0x41, 7, 0x0b])],
    [
      'export',
      vectorOf(
        [...nameOf('run'), 0, RUN],
        [...nameOf('table'), 1, 0],
        [...nameOf('memory'), 2, 0],
        [...nameOf('global'), 3, 0],
      ),
    ],
    [
      'element',
      vectorOf(
        [passive, 0, 6, ...Array.from({ length: 6 }, () => EMPTY)],
        [active, ...atFive, ...oneFunction],
      ),
    ],
    ['dataCount', new ByteWriter().u32(2)],
    ['code', codes],
    ['data', vectorOf([passive, 8, 1, 2, 3, 4, 5, 6, 7, 8], [active, 0x41, 0, 0x0b, 16, ...VECTOR])],
  );
}

function admitted(original: Uint8Array): Uint8Array {
  const admission = admitModule(original, { profile: 'conformance' });
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  return admission.module;
}

/** Runs a module and tells what it changed, and the cycles that it counted. */
function execute(bytes: Uint8Array) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const cycles = exports[ABI.cyclesLeft] as WebAssembly.Global<'i64'> | undefined;
  if (cycles !== undefined) cycles.value = LIMIT;
  (exports['run'] as () => void)();
  const table = exports['table'] as WebAssembly.Table;
  return {
    effects: {
      memory: Buffer.from((exports['memory'] as WebAssembly.Memory).buffer)
        .toString('latin1')
        .replace(/\0+$/, ''),
      pages: (exports['memory'] as WebAssembly.Memory).buffer.byteLength / 65_536,
      table: Array.from({ length: table.length }, (_, i) => table.get(i) !== null),
      global: (exports['global'] as WebAssembly.Global).value as number,
    },
    cycles: cycles === undefined ? null : Number(LIMIT - cycles.value),
  };
}

describe('every admitted instruction', () => {
  const executed = INSTRUCTIONS.filter(({ name }) => !NOT_EXECUTED.includes(name));

  it.each(executed.map((instruction) => [instruction.name, instruction] as const))(
    '%s does what it did and counts what the cost model says',
    (_name, instruction) => {
      const program = programOf(instruction);
      const original = moduleOf(program);
      const { effects, cycles } = execute(admitted(original));
      expect(effects).toEqual(execute(original).effects);
      expect(cycles).toBe(program.cycles);
    },
  );

  it('unreachable traps as before', () => {
    const original = moduleOf({ code: [0x00], cycles: 1 });
    expect(() => execute(original)).toThrow('unreachable');
    expect(() => execute(admitted(original))).toThrow('unreachable');
  });

  it('table.grow is the only one of the table that is refused later', () => {
    const grow = INSTRUCTIONS.find(({ name }) => name === 'table.grow');
    if (grow === undefined) throw new Error('table.grow is not in the table');
    expect(() => admitted(moduleOf(programOf(grow)))).toThrow('table.grow is not admitted');
  });
});
