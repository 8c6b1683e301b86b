import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import { opcode, perOpcode } from '../binary/opcodes.js';
import { VALUE_TYPE } from '../binary/value-types.js';
import type { FunctionType, WasmModule } from '../binary/wasm-module.js';
import { NAN_ACTION, ROLE, lanesRead, lanesWritten, observes, role } from './nan-roles.js';
import { blockType } from './stack-height.js';
import { functionType } from './validate-profile.js';

/*
 * The bits of a NaN that arithmetic produces differ between engines. They matter only where something can see them.
 * Scalars are made canonical at the observation: values may flow through operands, locals, parameters and results
 * freely before. Vectors are made canonical at the producer, unless the only consumer is arithmetic on the same lanes,
 * because every integer instruction observes a vector's bits. Values that come from memory, constants or globals are
 * the same everywhere, NaN or not, and keep their bits, as the specification demands of a copy.
 */

/** Tags on the abstract stack: where a value's bits come from. Zero and above: the value of that local. */
const CLEAN = -1;
const UNKNOWN = -2;
/** At and above: an arithmetic vector not yet canonical, produced by instruction (tag - VECTOR). */
const VECTOR = 0x4000_0000;

const popCount = perOpcode(({ pops }) => pops?.length ?? 0);
const pushCount = perOpcode(({ pushes }) => pushes?.length ?? 0);

const BLOCK = opcode('block');
const LOOP = opcode('loop');
const IF = opcode('if');
const ELSE = opcode('else');
const END = opcode('end');
const BR = opcode('br');
const BR_IF = opcode('br_if');
const BR_TABLE = opcode('br_table');
const RETURN = opcode('return');
const UNREACHABLE = opcode('unreachable');
const CALL = opcode('call');
const CALL_INDIRECT = opcode('call_indirect');
const LOCAL_GET = opcode('local.get');
const LOCAL_SET = opcode('local.set');
const LOCAL_TEE = opcode('local.tee');
const GLOBAL_GET = opcode('global.get');
const GLOBAL_SET = opcode('global.set');

interface Frame {
  readonly base: number;
  readonly results: number;
  readonly labelArity: number;
  readonly parameters: number;
}

export interface NanScope {
  readonly module: WasmModule;
  /** Types of parameters and locals by index. */
  readonly localTypes: Uint8Array;
  readonly type: FunctionType;
  /** Whether the module itself may call the function; the runner passes no NaN of an engine's making. */
  readonly isCalledWithin: boolean;
  /** Stepping apps: globals travel through JavaScript in snapshots, so even copied NaNs become canonical there. */
  readonly stepping: boolean;
}

/** Finds where NaN bits can be observed in a body; linear in its length. The result is {@link NanObservations.action}. */
export class NanObservations {
  /** One of NAN_ACTION per instruction. */
  action = new Uint8Array(1024);
  count = 0;
  #stack: number[] = [];
  #frames: Frame[] = [];
  #tainted: Uint8Array = new Uint8Array(0);
  /** Copies between locals, to be followed once all assignments are known: source, then destinations. */
  #copies = new Map<number, number[]>();
  /** Observations of a local's value, decided when taint has spread: instruction and local. */
  #pending: Array<readonly [at: number, local: number]> = [];

  /** Lanes of the vectors that may not be canonical, by producing instruction. */
  #lanes = new Map<number, number>();

  find(body: InstructionBuffer, scope: NanScope): void {
    this.#reset(body, scope);
    let deadFrames = -1;
    for (let i = 0; i < body.count; i++) {
      const code = body.code[i]!;
      if (deadFrames >= 0) {
        // Unreachable code: only its nesting matters, up to the end (or else) of the frame that became unreachable.
        if (code === BLOCK || code === LOOP || code === IF) deadFrames++;
        else if (code === END && deadFrames > 0) deadFrames--;
        else if (deadFrames === 0 && (code === END || code === ELSE)) {
          deadFrames = -1;
          this.#endArm(code);
        }
        continue;
      }
      if (this.#visit(i, code, body.immediate[i]!, scope)) deadFrames = 0;
    }
    this.#spreadTaint();
    for (const [at, local] of this.#pending)
      if (this.#tainted[local] === 0) this.action[at] = NAN_ACTION.none;
    for (let i = 0; i < body.count; i++) if (this.action[i] !== 0) this.count++;
  }

  #reset(body: InstructionBuffer, { localTypes, type, isCalledWithin }: NanScope): void {
    if (this.action.length < body.count) this.action = new Uint8Array(body.count * 2);
    this.action.fill(0, 0, body.count);
    this.count = 0;
    this.#stack.length = 0;
    this.#frames = [
      { base: 0, results: type.results.length, labelArity: type.results.length, parameters: 0 },
    ];
    if (this.#tainted.length < localTypes.length) this.#tainted = new Uint8Array(localTypes.length * 2);
    this.#tainted.fill(0, 0, localTypes.length);
    if (isCalledWithin) this.#tainted.fill(1, 0, type.parameters.length);
    this.#copies.clear();
    this.#lanes.clear();
    this.#pending.length = 0;
  }

  /** Returns whether the code after this instruction is unreachable. */
  #visit(i: number, code: number, immediate: number, scope: NanScope): boolean {
    const stack = this.#stack;
    switch (code) {
      case LOCAL_GET: {
        const type = scope.localTypes[immediate];
        stack.push(type === VALUE_TYPE.f32 || type === VALUE_TYPE.f64 ? immediate : CLEAN);
        return false;
      }
      case LOCAL_SET:
      case LOCAL_TEE:
        this.#assign(immediate, code === LOCAL_SET ? this.#pop() : (stack[stack.length - 1] ?? UNKNOWN));
        return false;
      case GLOBAL_GET:
        stack.push(CLEAN);
        return false;
      case GLOBAL_SET:
        this.#setGlobal(i, scope.module.globals[immediate]?.type, scope.stepping);
        return false;
      case BLOCK:
      case LOOP:
      case IF: {
        if (code === IF) this.#pop();
        const type = blockType(scope.module, immediate);
        this.#consume(type.parameters.length);
        const labelArity = (code === LOOP ? type.parameters : type.results).length;
        this.#frames.push({
          base: stack.length,
          results: type.results.length,
          labelArity,
          parameters: type.parameters.length,
        });
        this.#pushUnknown(type.parameters.length);
        return false;
      }
      case ELSE:
      case END:
        this.#consume(this.#frames[this.#frames.length - 1]?.results ?? 0);
        this.#endArm(code);
        return false;
      case BR_IF:
        this.#pop();
        this.#carry(immediate);
        return false;
      case BR_TABLE:
        this.#pop();
        this.#carry(immediate);
        return true;
      case BR:
        this.#carry(immediate);
        return true;
      case RETURN:
        this.#carry(this.#frames.length - 1);
        return true;
      case UNREACHABLE:
        return true;
      case CALL:
      case CALL_INDIRECT: {
        if (code === CALL_INDIRECT) this.#pop();
        const callee = code === CALL ? functionType(scope.module, immediate) : scope.module.types[immediate];
        this.#consume(callee?.parameters.length ?? 0);
        this.#pushUnknown(callee?.results.length ?? 0);
        return false;
      }
      default:
        this.#compute(i, code);
        return false;
    }
  }

  #compute(i: number, code: number): void {
    const stack = this.#stack;
    if (observes[code] !== NAN_ACTION.none) this.#observe(i, observes[code]!);
    switch (role[code] ?? ROLE.plain) {
      case ROLE.arithmetic:
        stack.length -= popCount[code]!;
        stack.push(UNKNOWN);
        return;
      case ROLE.signOnly:
        return;
      case ROLE.copySign:
        this.#pop();
        return;
      case ROLE.select: {
        this.#pop();
        const second = this.#pop();
        const first = this.#pop();
        this.#keepBits(first);
        this.#keepBits(second);
        stack.push(joined(first, second));
        return;
      }
      case ROLE.vectorArithmetic:
        this.#readLanes(code);
        stack.push(VECTOR + i);
        this.#lanes.set(i, lanesWritten[code]!);
        return;
      case ROLE.vectorRead: {
        const wasArithmetic = this.#readLanes(code);
        stack.push(wasArithmetic ? UNKNOWN : CLEAN);
        return;
      }
      default:
        this.#consume(popCount[code]!);
        for (let left = pushCount[code]!; left > 0; left--) stack.push(CLEAN);
    }
  }

  /** Pops a float vector instruction's operands; those that it reads in other lanes must be canonical. */
  #readLanes(code: number): boolean {
    let wasArithmetic = false;
    for (let left = popCount[code]!; left > 0; left--) {
      const tag = this.#pop();
      if (tag < VECTOR) continue;
      if (this.#lanes.get(tag - VECTOR) === lanesRead[code]) wasArithmetic = true;
      else this.#keepBits(tag);
    }
    return wasArithmetic;
  }

  #pop(): number {
    return this.#stack.pop() ?? UNKNOWN;
  }

  #pushUnknown(count: number): void {
    for (let left = count; left > 0; left--) this.#stack.push(UNKNOWN);
  }

  /** Pops operands whose bits the consumer may keep or see. */
  #consume(count: number): void {
    for (let left = count; left > 0; left--) this.#keepBits(this.#pop());
  }

  /** Values that a branch carries along stay on the stack. */
  #carry(depth: number): void {
    const arity = this.#frames[this.#frames.length - 1 - depth]?.labelArity ?? 0;
    for (let left = 1; left <= arity; left++)
      this.#keepBits(this.#stack[this.#stack.length - left] ?? UNKNOWN);
  }

  /** A vector that is not only arithmetic's operand is made canonical where it is produced. */
  #keepBits(tag: number): void {
    if (tag < VECTOR) return;
    const producer = tag - VECTOR;
    this.action[producer] = this.#lanes.get(producer) === 2 ? NAN_ACTION.f64x2After : NAN_ACTION.f32x4After;
  }

  #observe(i: number, action: number): void {
    const tag = this.#stack[this.#stack.length - 1] ?? UNKNOWN;
    if (tag === CLEAN) return;
    this.action[i] = action;
    if (tag >= 0 && tag < VECTOR) this.#pending.push([i, tag]);
  }

  #setGlobal(i: number, type: number | undefined, stepping: boolean): void {
    const action =
      type === VALUE_TYPE.f32
        ? NAN_ACTION.f32Before
        : type === VALUE_TYPE.f64
          ? NAN_ACTION.f64Before
          : NAN_ACTION.none;
    if (action !== NAN_ACTION.none) {
      if (stepping) this.action[i] = action;
      else this.#observe(i, action);
    }
    this.#consume(1);
  }

  #assign(local: number, tag: number): void {
    this.#keepBits(tag);
    if (tag === UNKNOWN) this.#tainted[local] = 1;
    else if (tag >= 0 && tag < VECTOR && tag !== local) {
      const copies = this.#copies.get(tag);
      if (copies === undefined) this.#copies.set(tag, [local]);
      else copies.push(local);
    }
  }

  /** At `else` or `end`: back to the frame's base, with the parameters of the other arm or the results on top. */
  #endArm(code: number): void {
    const frame = code === ELSE ? this.#frames[this.#frames.length - 1] : this.#frames.pop();
    this.#stack.length = Math.min(this.#stack.length, frame?.base ?? 0);
    this.#pushUnknown((code === ELSE ? frame?.parameters : frame?.results) ?? 0);
  }

  #spreadTaint(): void {
    const queue = [...this.#copies.keys()].filter((local) => this.#tainted[local] === 1);
    for (let local = queue.pop(); local !== undefined; local = queue.pop()) {
      for (const copy of this.#copies.get(local) ?? []) {
        if (this.#tainted[copy] === 1) continue;
        this.#tainted[copy] = 1;
        queue.push(copy);
      }
    }
  }
}

function joined(first: number, second: number): number {
  if (first === second || second === CLEAN || second >= VECTOR) return first >= VECTOR ? CLEAN : first;
  return first === CLEAN || first >= VECTOR ? second : UNKNOWN;
}
