import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import { perOpcode } from '../binary/opcodes.js';
import { VALUE_TYPE } from '../binary/value-types.js';
import type { FunctionType, WasmModule } from '../binary/wasm-module.js';
import * as OP from './control-opcodes.js';
import { NAN_ACTION, ROLE, observes, role } from './nan-roles.js';
import { CLEAN, OperandTags, UNKNOWN, VECTOR, eitherScalar, vectorOf } from './operand-tags.js';
import { ScalarTaint } from './scalar-taint.js';
import { blockType } from './stack-height.js';
import { functionType } from './validate-profile.js';
import { VectorOperands } from './vector-operands.js';
import { FIXED_VECTOR, SHAPES, VectorShapes } from './vector-shapes.js';

/*
 * The bits of a NaN that arithmetic produces differ between engines. They matter only where something can see them.
 * Scalars are made canonical at the observation: values may flow through operands, locals, parameters and results
 * freely before. Vectors flow through operands, locals and moves of lanes, see VectorShapes; every integer instruction
 * observes their bits, and so do calls, results of blocks and globals. Values that come from memory, constants or
 * globals are the same everywhere, NaN or not, and keep their bits, as the specification demands of a copy.
 */

const popCount = perOpcode(({ pops }) => pops?.length ?? 0);
const pushCount = perOpcode(({ pushes }) => pushes?.length ?? 0);

interface Frame {
  readonly base: number;
  readonly results: number;
  readonly labelArity: number;
  readonly parameters: number;
  readonly isLoop: boolean;
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
  #frames: Frame[] = [];
  readonly #stack = new OperandTags();
  readonly #scalars = new ScalarTaint();
  readonly #vectors = new VectorShapes();
  readonly #operands = new VectorOperands(this.#stack, this.#vectors);

  find(body: InstructionBuffer, scope: NanScope): void {
    this.#reset(body, scope);
    let deadFrames = -1;
    for (let i = 0; i < body.count; i++) {
      const code = body.code[i]!;
      if (deadFrames >= 0) {
        // Unreachable code: only its nesting matters, up to the end (or else) of the frame that became unreachable.
        if (code === OP.BLOCK || code === OP.LOOP || code === OP.IF) deadFrames++;
        else if (code === OP.END && deadFrames > 0) deadFrames--;
        else if (deadFrames === 0 && (code === OP.END || code === OP.ELSE)) {
          deadFrames = -1;
          this.#endArm(code);
        }
        continue;
      }
      if (this.#visit(i, code, body, scope)) deadFrames = 0;
    }
    this.#solve();
    for (let i = 0; i < body.count; i++) if (this.action[i] !== 0) this.count++;
  }

  #reset(body: InstructionBuffer, { localTypes, type, isCalledWithin }: NanScope): void {
    if (this.action.length < body.count) this.action = new Uint8Array(body.count * 2);
    this.action.fill(0, 0, body.count);
    this.count = 0;
    this.#stack.cutTo(0);
    this.#frames = [
      {
        base: 0,
        results: type.results.length,
        labelArity: type.results.length,
        parameters: 0,
        isLoop: false,
      },
    ];
    this.#scalars.reset(localTypes.length, isCalledWithin ? type.parameters.length : 0);
    this.#vectors.reset(localTypes.length, type.parameters.length);
  }

  /** Returns whether the code after this instruction is unreachable. */
  #visit(i: number, code: number, body: InstructionBuffer, scope: NanScope): boolean {
    const immediate = body.immediate[i]!;
    const stack = this.#stack;
    switch (code) {
      case OP.LOCAL_GET: {
        const type = scope.localTypes[immediate];
        if (type === VALUE_TYPE.v128) this.#operands.push(this.#vectors.getLocal(i, immediate));
        else stack.push(type === VALUE_TYPE.f32 || type === VALUE_TYPE.f64 ? immediate : CLEAN);
        return false;
      }
      case OP.LOCAL_SET:
      case OP.LOCAL_TEE: {
        const tag = code === OP.LOCAL_SET ? stack.pop() : stack.at(0);
        if (scope.localTypes[immediate] === VALUE_TYPE.v128)
          this.#vectors.setLocal(immediate, vectorOf(tag) ?? FIXED_VECTOR);
        else this.#scalars.assign(immediate, tag);
        return false;
      }
      case OP.GLOBAL_GET:
        stack.push(CLEAN);
        return false;
      case OP.GLOBAL_SET:
        this.#setGlobal(i, scope.module.globals[immediate]?.type, scope.stepping);
        return false;
      case OP.BLOCK:
      case OP.LOOP:
      case OP.IF: {
        if (code === OP.IF) {
          stack.pop();
          this.#vectors.fork();
        } else if (code === OP.LOOP) this.#vectors.join();
        const type = blockType(scope.module, immediate);
        this.#consume(type.parameters.length);
        const labelArity = (code === OP.LOOP ? type.parameters : type.results).length;
        this.#frames.push({
          base: stack.height,
          results: type.results.length,
          labelArity,
          parameters: type.parameters.length,
          isLoop: code === OP.LOOP,
        });
        stack.pushMany(type.parameters.length, UNKNOWN);
        return false;
      }
      case OP.ELSE:
      case OP.END:
        this.#consume(this.#frames[this.#frames.length - 1]?.results ?? 0);
        this.#endArm(code);
        return false;
      case OP.BR_IF:
        stack.pop();
        this.#carry(immediate);
        return false;
      case OP.BR_TABLE:
        stack.pop();
        this.#carry(immediate);
        return true;
      case OP.BR:
        this.#carry(immediate);
        return true;
      case OP.RETURN:
        this.#carry(this.#frames.length - 1);
        return true;
      case OP.UNREACHABLE:
        return true;
      case OP.CALL:
      case OP.CALL_INDIRECT: {
        if (code === OP.CALL_INDIRECT) stack.pop();
        const callee =
          code === OP.CALL ? functionType(scope.module, immediate) : scope.module.types[immediate];
        this.#consume(callee?.parameters.length ?? 0);
        stack.pushMany(callee?.results.length ?? 0, UNKNOWN);
        return false;
      }
      default:
        this.#compute(i, code, body, scope.module.bytes);
        return false;
    }
  }

  #compute(i: number, code: number, body: InstructionBuffer, bytes: Uint8Array): void {
    const stack = this.#stack;
    const isArithmeticSplat = role[code] === ROLE.splat && stack.at(0) === UNKNOWN;
    if (observes[code] !== NAN_ACTION.none && !isArithmeticSplat) this.#observe(i, observes[code]!);
    switch (role[code] ?? ROLE.plain) {
      case ROLE.arithmetic:
        stack.drop(popCount[code]!);
        stack.push(UNKNOWN);
        return;
      case ROLE.signOnly:
        return;
      case ROLE.copySign:
        stack.pop();
        return;
      case ROLE.select: {
        stack.pop();
        const second = stack.pop();
        const first = stack.pop();
        if (first >= VECTOR || second >= VECTOR) this.#operands.move(i, SHAPES.both, [first, second]);
        else stack.push(eitherScalar(first, second));
        return;
      }
      default:
        if (this.#operands.compute(i, body, bytes)) return;
        this.#consume(popCount[code]!);
        stack.pushMany(pushCount[code]!, CLEAN);
    }
  }

  /** Pops operands whose bits the consumer may keep or see. */
  #consume(count: number): void {
    for (let depth = count - 1; depth >= 0; depth--) this.#operands.keepBits(this.#stack.at(depth));
    this.#stack.drop(count);
  }

  /** Values that a branch carries along stay on the stack. */
  #carry(label: number): void {
    const arity = this.#frames[this.#frames.length - 1 - label]?.labelArity ?? 0;
    for (let depth = 0; depth < arity; depth++) this.#operands.keepBits(this.#stack.at(depth));
    this.#vectors.fork();
  }

  #observe(i: number, action: number): void {
    const tag = this.#stack.at(0);
    if (tag === CLEAN) return;
    this.action[i] = action;
    if (tag >= 0) this.#scalars.observe(i, tag);
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

  /** At `else` or `end`: back to the frame's base, with the parameters of the other arm or the results on top. */
  #endArm(code: number): void {
    const frame = code === OP.ELSE ? this.#frames[this.#frames.length - 1] : this.#frames.pop();
    this.#stack.cutTo(frame?.base ?? 0);
    if (frame?.isLoop !== true) this.#vectors.join();
    this.#stack.pushMany((code === OP.ELSE ? frame?.parameters : frame?.results) ?? 0, UNKNOWN);
  }

  #solve(): void {
    const { action } = this;
    this.#vectors.solve(
      (site, shape) => {
        action[site] = shape === SHAPES.f64x2 ? NAN_ACTION.f64x2After : NAN_ACTION.f32x4After;
      },
      (store, site, shape) => {
        // An instruction may have another action, on the operand that it takes: that leaves its result as it is.
        if (!isAfter(action[site]!))
          action[store] = shape === SHAPES.f64x2 ? NAN_ACTION.f64x2Before : NAN_ACTION.f32x4Before;
      },
    );
    this.#scalars.solve(
      (value) => this.#vectors.loose(value) !== SHAPES.none,
      (at) => {
        action[at] = NAN_ACTION.none;
      },
    );
  }
}

/** Whether the action makes the result of its instruction canonical. */
function isAfter(action: number): boolean {
  return action === NAN_ACTION.f32x4After || action === NAN_ACTION.f64x2After;
}
