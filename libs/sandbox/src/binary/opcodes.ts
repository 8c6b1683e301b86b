import { OPCODE_TABLE } from './opcode-table.js';

/** What follows an opcode in the binary, as the decoder's switch distinguishes it. */
export const IMMEDIATES = [
  'refused',
  '-',
  'block',
  'label',
  'labels',
  'index',
  'indirect',
  'types',
  'memory',
  'memlane',
  'zero',
  's32',
  's64',
  '4bytes',
  '8bytes',
  '16bytes',
  'lane',
  'reftype',
  'datazero',
  'zerozero',
  '2indices',
] as const;
export type Immediates = (typeof IMMEDIATES)[number];

/** One row of the table. `code` is the opcode byte, or 0x100 + n after prefix 0xfc, or 0x200 + n after prefix 0xfd. */
export interface Instruction {
  readonly code: number;
  readonly name: string;
  readonly immediates: Immediates;
  /** Operands in signature letters, null where they depend on context. */
  readonly pops: string | null;
  readonly pushes: string | null;
}

/** Codes are below this number, so that per-opcode facts fit small typed arrays. */
export const CODE_LIMIT = 0x300;

export const PREFIX = { numeric: 0xfc, vector: 0xfd } as const;
const PREFIX_BASE: Readonly<Record<string, number>> = { fc: 0x100, fd: 0x200 };

function parseRow(row: string): Instruction {
  const [where = '', name = '', immediates = '', signature = ''] = row.split(/ +/);
  const [prefixOrCode = '', suffix] = where.split(':');
  const code =
    suffix === undefined
      ? parseInt(prefixOrCode, 16)
      : (PREFIX_BASE[prefixOrCode] ?? NaN) + parseInt(suffix, 16);
  const known = IMMEDIATES.find((kind) => kind === immediates);
  if (known === undefined || Number.isNaN(code)) throw new TypeError(`bad row in the opcode table: ${row}`);
  const [pops = null, pushes = null] = signature === '?' ? [] : signature.split('>');
  return { code, name, immediates: known, pops, pushes };
}

/** All admitted instructions in the order of their codes. */
export const INSTRUCTIONS: readonly Instruction[] = OPCODE_TABLE.trim().split('\n').map(parseRow);

const byName = new Map(INSTRUCTIONS.map((instruction) => [instruction.name, instruction.code]));

/** The code of an instruction by its name in the specification. Throws TypeError for a name that is not in the table. */
export function opcode(name: string): number {
  const code = byName.get(name);
  if (code === undefined) throw new TypeError(`no instruction is called ${name}`);
  return code;
}

/** A fact about each opcode as a typed array indexed by code; 0 for codes that are not in the table. */
export function perOpcode(fact: (instruction: Instruction) => number): Uint8Array {
  const facts = new Uint8Array(CODE_LIMIT);
  for (const instruction of INSTRUCTIONS) facts[instruction.code] = fact(instruction);
  return facts;
}
