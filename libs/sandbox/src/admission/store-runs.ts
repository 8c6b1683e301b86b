import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import { opcode, perOpcode } from '../binary/opcodes.js';
import { GLOBAL_GET, GLOBAL_SET, LOCAL_GET, LOCAL_SET, LOCAL_TEE } from './control-opcodes.js';
import { NAN_ACTION } from './nan-roles.js';
import { type Symbolic, SymbolicLocals } from './symbolic-locals.js';

const I32_CONST = opcode('i32.const');
const I32_ADD = opcode('i32.add');
const F32_STORE = opcode('f32.store');
const F64_STORE = opcode('f64.store');
const V128_STORE = opcode('v128.store');

/** More stores than this at once would keep too many addresses alive. */
const LONGEST_RUN = 16;

const popCount = perOpcode(({ pops }) => pops?.length ?? 0);
const pushCount = perOpcode(({ pushes }) => pushes?.length ?? 0);

/** Bytes that a load or store touches at most; 0 for other instructions. */
const accessBytes = perOpcode(({ name, immediates }) => {
  if (immediates !== 'memory' && immediates !== 'memlane') return 0;
  if (name.startsWith('v128')) return 16;
  return /^(i|f)32/.test(name) ? 4 : 8;
});

/** Instructions that end a run: control flow, calls, and whole-memory operations. */
const endsRun = perOpcode(({ name, pops }) => {
  if (/^(local|global)\./.test(name)) return 0;
  return pops === null || /^(memory|data|table|elem)\./.test(name) ? 1 : 0;
});

interface Access extends Symbolic {
  readonly bytes: number;
}

interface PendingStore extends Access {
  readonly at: number;
  readonly action: number;
}

/**
 * Joins float stores that may store NaN into runs that are checked once. A run's stores happen as they are; where it
 * ends, one sum tells whether any value was NaN, and only then all of them are stored again in canonical form. Nothing
 * may see the bytes in between: a run ends before control flow, calls, and every access that is not certainly disjoint
 * from its stores. Certain are different constants on the same root.
 */
export class StoreRuns {
  /** The place of a store in its run, counted from 1; 0 for stores on their own. */
  slot = new Uint8Array(1024);
  /** 1 for a store of a run of which another may overwrite some bytes. */
  keepsValue = new Uint8Array(1024);
  /** `flush[i]`: how many stores to check before instruction i. */
  flush = new Uint8Array(1024);

  #nextRoot = 1;
  #stack: Symbolic[] = [];
  readonly #locals = new SymbolicLocals();
  #pending: PendingStore[] = [];

  find(body: InstructionBuffer, action: Uint8Array): void {
    this.#reset(body);
    for (let i = 0; i < body.count; i++) {
      const code = body.code[i]!;
      if (endsRun[code] === 1) {
        this.#end(i);
        this.#stack.length = 0;
        this.#locals.passControl(i, code);
      } else if (accessBytes[code] !== 0) this.#access(i, code, body.immediate[i]!, action[i]!);
      else this.#compute(i, code, body.immediate[i]!);
    }
  }

  #reset(body: InstructionBuffer): void {
    const { count } = body;
    if (this.slot.length < count) {
      this.slot = new Uint8Array(count * 2);
      this.keepsValue = new Uint8Array(count * 2);
      this.flush = new Uint8Array(count * 2);
    }
    this.slot.fill(0, 0, count);
    this.flush.fill(0, 0, count);
    this.#stack.length = 0;
    this.#locals.reset(body);
    this.#pending.length = 0;
  }

  #compute(i: number, code: number, immediate: number): void {
    const stack = this.#stack;
    switch (code) {
      case LOCAL_GET:
        stack.push(this.#local(immediate));
        return;
      case LOCAL_SET:
        this.#locals.assign(i, immediate, this.#pop());
        return;
      case LOCAL_TEE: {
        const value = this.#pop();
        this.#locals.assign(i, immediate, value);
        stack.push(value);
        return;
      }
      case GLOBAL_GET:
        stack.push(this.#unknown());
        return;
      case GLOBAL_SET:
        this.#pop();
        return;
      case I32_CONST:
        stack.push({ root: 0, delta: immediate });
        return;
      case I32_ADD: {
        const [second, first] = [this.#pop(), this.#pop()];
        if (second.root === 0) stack.push({ root: first.root, delta: (first.delta + second.delta) | 0 });
        else if (first.root === 0) stack.push({ root: second.root, delta: (first.delta + second.delta) | 0 });
        else stack.push(this.#unknown());
        return;
      }
      default:
        for (let left = popCount[code]!; left > 0; left--) this.#pop();
        for (let left = pushCount[code]!; left > 0; left--) stack.push(this.#unknown());
    }
  }

  #access(i: number, code: number, offset: number, action: number): void {
    const pops = popCount[code]!;
    if (pops > 1) this.#pop();
    const { root, delta } = this.#pop();
    for (let left = pushCount[code]!; left > 0; left--) this.#stack.push(this.#unknown());
    const access = { root, delta: (delta + offset) | 0, bytes: accessBytes[code]! };
    const joins =
      action !== NAN_ACTION.none && (code === F32_STORE || code === F64_STORE || code === V128_STORE);
    if (!joins) {
      if (!this.#pending.every((store) => areDisjoint(store, access))) this.#end(i);
      return;
    }
    const [first] = this.#pending;
    if (this.#pending.length === LONGEST_RUN || (first !== undefined && first.action !== action))
      this.#end(i);
    this.#pending.push({ ...access, at: i, action });
  }

  /** A run of one is left to the check before the store. */
  #end(i: number): void {
    const { length } = this.#pending;
    if (length > 1) {
      this.flush[i] = length;
      for (const [k, store] of this.#pending.entries()) {
        this.slot[store.at] = k + 1;
        const isAlone = this.#pending.every((other) => other === store || areDisjoint(store, other));
        this.keepsValue[store.at] = isAlone ? 0 : 1;
      }
    }
    this.#pending.length = 0;
  }

  #pop(): Symbolic {
    return this.#stack.pop() ?? this.#unknown();
  }

  #unknown(): Symbolic {
    return { root: this.#nextRoot++, delta: 0 };
  }

  #local(index: number): Symbolic {
    const known = this.#locals.valueOf(index);
    if (known !== null) return known;
    const value = this.#unknown();
    this.#locals.name(index, value);
    return value;
  }
}

/** Effective addresses lie below 2^32, so their distance is known modulo 2^32. */
function areDisjoint(first: Access, second: Access): boolean {
  if (first.root !== second.root) return false;
  const distance = (second.delta - first.delta) >>> 0;
  return distance >= first.bytes && 2 ** 32 - distance >= second.bytes;
}
