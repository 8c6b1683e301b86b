import { ABI } from '../abi.js';
import { ByteReader } from '../binary/byte-reader.js';
import { ByteWriter } from '../binary/byte-writer.js';
import { FUNCTION_TYPE_FORM, MAGIC_AND_VERSION } from '../binary/module-format.js';
import { opcode } from '../binary/opcodes.js';
import { EMPTY_BLOCK_TYPE, VALUE_TYPE } from '../binary/value-types.js';
import { EXTERNAL_KINDS, type ExternalKind, SECTION, type WasmModule } from '../binary/wasm-module.js';
import { Carriers } from './carriers.js';
import { END } from './control-opcodes.js';
import type { AddedIndices } from './emit-function.js';
import { memoryGrowBody } from './memory-grow.js';
import { VIRTUAL_STACK_BYTES } from './virtual-stack.js';

const MAX_PAGES = 65_536;
const I32_CONST = opcode('i32.const');
const I64_CONST = opcode('i64.const');

/** What a rewriting adds besides code. */
export interface ModuleAdditions {
  readonly stepping: boolean;
  readonly usesStack: boolean;
  readonly usesGrow: boolean;
}

/** Types, functions and globals that are appended, so that no index of the original changes. */
export class AddedItems {
  readonly indices: AddedIndices;
  readonly #types: ByteWriter[] = [];
  readonly #resultTypes = new Map<string, number>();
  /** Index of the block type by the results of a type of the original, and of the carrying type by type index. */
  readonly #blockTypes = new Map<readonly number[], number>();
  readonly #carryingTypes = new Map<number, number>();

  constructor(
    private readonly module: WasmModule,
    readonly additions: ModuleAdditions,
    readonly carriers: Carriers = Carriers.none(module),
  ) {
    const firstGlobal = module.globals.length;
    const afterStack = firstGlobal + 2 + (additions.usesStack ? 1 : 0);
    this.indices = {
      cyclesGlobal: firstGlobal,
      stopGlobal: firstGlobal + 1,
      stackGlobal: firstGlobal + 2,
      pagesGlobal: afterStack,
      importedFunctions: module.importedFunctions,
      growFunction: additions.usesGrow ? module.functionTypes.length : null,
    };
  }

  /** The encoded block type of a block without parameters that yields these results. */
  resultBlockType(results: readonly number[]): number {
    const [only] = results;
    if (only === undefined) return EMPTY_BLOCK_TYPE - 0x80;
    if (results.length === 1) return only - 0x80;
    const index = this.#blockTypes.get(results) ?? this.#typeIndex([], results);
    this.#blockTypes.set(results, index);
    return index;
  }

  growTypeIndex(): number {
    return this.#typeIndex([VALUE_TYPE.i32], [VALUE_TYPE.i32]);
  }

  /** The type of a function of the original, which changes where it carries the meters. */
  functionTypeIndex(functionIndex: number): number {
    const original = this.module.functionTypes[functionIndex] ?? 0;
    if (!this.carriers.has(functionIndex)) return original;
    let index = this.#carryingTypes.get(original);
    if (index === undefined) {
      const { parameters, results } = this.carriers.typeOf(functionIndex);
      index = this.#typeIndex(parameters, results);
      this.#carryingTypes.set(original, index);
    }
    return index;
  }

  get types(): readonly ByteWriter[] {
    return this.#types;
  }

  #typeIndex(parameters: readonly number[], results: readonly number[]): number {
    const shape = `${parameters.join()}>${results.join()}`;
    let index = this.#resultTypes.get(shape);
    if (index === undefined) {
      index = this.module.types.length + this.#types.length;
      this.#resultTypes.set(shape, index);
      const type = new ByteWriter(16).u8(FUNCTION_TYPE_FORM).u32(parameters.length);
      for (const parameter of parameters) type.u8(parameter);
      type.u32(results.length);
      for (const result of results) type.u8(result);
      this.#types.push(type);
    }
    return index;
  }
}

/**
 * Puts the rewritten module together: original sections in their order with the additions appended; custom sections
 * and `start` left out. `codes` is the content of the rewritten functions without the leading count.
 */
export function emitModule(module: WasmModule, added: AddedItems, codes: ByteWriter): Uint8Array {
  const out = new ByteWriter(module.bytes.length + codes.length + 4096);
  const { usesGrow } = added.additions;
  const functions = new ByteWriter(module.bodies.length + 8);
  for (let i = 0; i < module.bodies.length; i++)
    functions.u32(added.functionTypeIndex(module.importedFunctions + i));
  if (usesGrow) functions.u32(added.growTypeIndex());
  if (usesGrow) {
    const ownMaximum = Math.min(module.memories[0]?.max ?? MAX_PAGES, MAX_PAGES);
    codes.sized(
      memoryGrowBody({ pagesGlobal: added.indices.pagesGlobal, ownMaximum }, added.indices.stopGlobal),
    );
  }
  const definedFunctions = module.bodies.length;
  const growCount = usesGrow ? 1 : 0;
  const globals = addedGlobals(added.additions);
  out.raw(MAGIC_AND_VERSION);
  extend(out, module, SECTION.type, module.types.length, added.types);
  copy(out, module, SECTION.import);
  writeVector(out, SECTION.function, definedFunctions + growCount, functions);
  copy(out, module, SECTION.table);
  copy(out, module, SECTION.memory);
  extend(out, module, SECTION.global, module.globals.filter(({ imported }) => !imported).length, globals);
  extend(out, module, SECTION.export, module.exports.length, addedExports(module, added));
  copy(out, module, SECTION.element);
  copy(out, module, SECTION.dataCount);
  writeVector(out, SECTION.code, definedFunctions + growCount, codes);
  copy(out, module, SECTION.data);
  return out.view().slice();
}

function copy(out: ByteWriter, module: WasmModule, id: number): void {
  const range = module.sections.get(id);
  if (range !== undefined)
    out
      .u8(id)
      .u32(range.end - range.start)
      .copy(module.bytes, range.start, range.end);
}

/** Writes a section of `count` items, unless there is none. */
function writeVector(out: ByteWriter, id: number, count: number, items: ByteWriter): void {
  if (count > 0) out.u8(id).sized(new ByteWriter(items.length + 8).u32(count).raw(items.view()));
}

/** Writes a section of `count` items from the original, followed by more items. */
function extend(
  out: ByteWriter,
  module: WasmModule,
  id: number,
  count: number,
  items: readonly ByteWriter[],
): void {
  const range = module.sections.get(id);
  if (range === undefined && items.length === 0) return;
  const content = new ByteWriter(256).u32(count + items.length);
  if (range !== undefined) {
    const reader = new ByteReader(module.bytes, range.start, range.end);
    reader.u32();
    content.copy(module.bytes, reader.offset, range.end);
  }
  for (const item of items) content.raw(item.view());
  out.u8(id).sized(content);
}

/** Initial values let a module run to its end where nobody sets limits, as in the specification's tests. */
function addedGlobals({ usesStack }: ModuleAdditions): ByteWriter[] {
  const variable = (type: number, constant: number, value: number) =>
    new ByteWriter(24).u8(type).u8(1).u8(constant).signed(value).u8(END);
  return [
    variable(VALUE_TYPE.i64, I64_CONST, Number.MAX_SAFE_INTEGER),
    variable(VALUE_TYPE.i32, I32_CONST, 0),
    ...(usesStack ? [variable(VALUE_TYPE.i32, I32_CONST, VIRTUAL_STACK_BYTES)] : []),
    variable(VALUE_TYPE.i32, I32_CONST, MAX_PAGES),
  ];
}

function addedExports(module: WasmModule, added: AddedItems): ByteWriter[] {
  const { indices, additions } = added;
  const items: ByteWriter[] = [];
  const add = (name: string, kind: ExternalKind, index: number) =>
    items.push(new ByteWriter(48).name(name).u8(EXTERNAL_KINDS.indexOf(kind)).u32(index));
  if (module.memories.length > 0) add(ABI.memory, 'memory', 0);
  add(ABI.cyclesLeft, 'global', indices.cyclesGlobal);
  add(ABI.stop, 'global', indices.stopGlobal);
  if (additions.usesStack) add(ABI.stackLeft, 'global', indices.stackGlobal);
  add(ABI.pageLimit, 'global', indices.pagesGlobal);
  if (module.start !== null) add(ABI.start, 'function', module.start.functionIndex);
  if (additions.stepping) {
    const variables = module.globals.flatMap(({ mutable }, index) => (mutable ? [index] : []));
    for (const [i, index] of variables.entries()) add(`${ABI.globalPrefix}${i}`, 'global', index);
  }
  return items;
}
