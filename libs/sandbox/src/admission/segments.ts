import { ByteReader } from '../binary/byte-reader.js';
import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import { perOpcode } from '../binary/opcodes.js';
import * as OP from './control-opcodes.js';
import { CYCLES, LENGTH_SHIFT } from './cost-model.js';
import { Joins, NO_SOURCES } from './joins.js';

/** Code that no path reaches belongs to no segment. */
const DEAD = -1;
/** "Target" of a call that may end the program: outside even the function's own frame, which is frame 0. */
const OUT_OF_FUNCTION = -1;

/** Instructions that do more than cost their cycles; most do not. */
const isSpecial = perOpcode(({ code }) =>
  [
    OP.BLOCK,
    OP.LOOP,
    OP.IF,
    OP.ELSE,
    OP.END,
    OP.BR,
    OP.BR_IF,
    OP.BR_TABLE,
    OP.RETURN,
    OP.UNREACHABLE,
    OP.CALL,
    OP.CALL_INDIRECT,
    ...LENGTH_SHIFT.keys(),
  ].includes(code)
    ? 1
    : 0,
);

/** How often a loop's body is assumed to run, for choosing between two ways to keep the countdown. */
const ASSUMED_ITERATIONS = 8;
const DEEPEST_WEIGHT = 6;

export interface CallBehaviour {
  /** Whether this direct callee may end the program instead of returning. */
  mayExit(functionIndex: number): boolean;
  /** The same of an indirect call by its type. */
  indirectMayExit(typeIndex: number): boolean;
  /** Cycles of a direct callee's first segment that the call pays for. */
  entryCycles(functionIndex: number): number;
}

/** By the number of loops around. */
const WEIGHTS = Array.from({ length: DEEPEST_WEIGHT + 1 }, (_, loops) => ASSUMED_ITERATIONS ** loops);

/** How often code in so many loops is assumed to run. */
function weightOf(loops: number): number {
  return WEIGHTS[Math.min(loops, DEEPEST_WEIGHT)]!; // The table reaches that far.
}

/**
 * Divides a body into segments: sets of instructions of which all or none are executed, except for a trap. A segment
 * is charged at once where it begins. Two pieces of code belong together although a block, loop or if stands between
 * them, when nothing inside it branches past its end: then both run equally often (they are control-equivalent).
 */
export class Segments {
  /** `charge[i]`: cycles to charge before instruction i; 0 where no segment begins. Calls multiply: exact up to 2^53. */
  charge = new Float64Array(1024);
  /** `loopHead[i]` = 1: instruction i is the first of a loop's body, where the limit is checked. */
  loopHead = new Uint8Array(1024);
  hasLoops = false;
  /** Whether some instruction costs more with its length. */
  hasLengths = false;
  readonly #joins = new Joins();
  /** The open frames, outermost first, and behind them closed ones to use again. */
  readonly #frames: Frame[] = [];
  #depth = 0;
  /** How often a segment is assumed to run; 0 but for those of the body at hand. */
  #weight = new Float64Array(1024);

  /** Weighted number of charges, and of calls, by the assumed iterations around them. */
  chargeWeight = 0;
  callWeight = 0;

  /** `bytes` is the module that the body was decoded from; the callers have paid `prepaid` of the first segment. */
  find(body: InstructionBuffer, bytes: Uint8Array, calls: CallBehaviour, prepaid: number): void {
    this.#reset(body.count + 1);
    this.#open(0, DEAD, DEAD);
    const begun: number[] = [];
    const { charge } = this;
    const weight = this.#weight;
    let segment = 0;
    for (let i = 0; i < body.count; i++) {
      const code = body.code[i]!;
      if (segment !== DEAD) {
        charge[segment]! += CYCLES[code]!;
        if (weight[segment] === 0) {
          weight[segment] = weightOf(this.#frameAt(0).loops);
          begun.push(segment);
        }
      }
      if (isSpecial[code] === 0) continue;
      const frame = this.#frameAt(0);
      switch (code) {
        case OP.BLOCK:
        case OP.LOOP:
        case OP.IF:
          this.#enter(code, i, segment, frame.loops);
          if (code !== OP.BLOCK && segment !== DEAD) segment = i + 1;
          break;
        case OP.ELSE:
          frame.isSkippable = false;
          if (segment !== DEAD) this.#addSource(frame, segment);
          segment = frame.continued === DEAD ? DEAD : i + 1;
          break;
        case OP.END: {
          this.#depth--;
          if (this.#depth === 0) break;
          leave(this.#frameAt(0), frame.outermost);
          segment = this.#leaveFrame(frame, this.#depth, i, segment);
          break;
        }
        case OP.BR:
        case OP.BR_TABLE:
        case OP.BR_IF:
          if (segment !== DEAD) {
            const label = body.immediate[i]!;
            leave(frame, this.#depth - 1 - label);
            if (code === OP.BR) this.#addSource(this.#frameAt(label), segment);
            else if (code === OP.BR_IF) this.#frameAt(label).hasConditionalSource = true;
            else this.#markTable(body, i, bytes);
          }
          segment = code === OP.BR_IF && segment !== DEAD ? i + 1 : DEAD;
          break;
        case OP.RETURN:
          if (segment !== DEAD) leave(frame, 0);
          segment = DEAD;
          break;
        case OP.UNREACHABLE:
          // A trap's count may include what was charged ahead, so nothing is split for it.
          segment = DEAD;
          break;
        case OP.CALL:
        case OP.CALL_INDIRECT: {
          if (segment === DEAD) break;
          this.callWeight += weightOf(frame.loops);
          const target = body.immediate[i]!;
          if (code === OP.CALL) charge[segment]! += calls.entryCycles(target);
          if (code === OP.CALL ? calls.mayExit(target) : calls.indirectMayExit(target)) {
            leave(frame, OUT_OF_FUNCTION);
            segment = i + 1;
          }
          break;
        }
        default:
          this.chargeWeight += 1;
          this.hasLengths = true;
      }
    }
    this.#joins.chargeAhead(charge);
    charge[0]! -= prepaid;
    for (const at of begun) {
      if (charge[at] !== 0) this.chargeWeight += weight[at]!;
      weight[at] = 0;
    }
  }

  #enter(code: number, i: number, segment: number, loops: number): void {
    if (code !== OP.LOOP) {
      this.#open(loops, segment, DEAD).isSkippable = code === OP.IF;
      return;
    }
    this.loopHead[i + 1] = 1;
    this.hasLoops = true;
    const frame = this.#open(loops + 1, segment, i + 1);
    if (segment !== DEAD) this.#addSource(frame, segment);
  }

  /** At the `end` of frame number `index`; returns the segment of what follows. */
  #leaveFrame(frame: Frame, index: number, i: number, last: number): number {
    const { continued, loopSegment, sources } = frame;
    if (continued === DEAD) return DEAD;
    const isLoop = loopSegment !== DEAD;
    const isJoin = !frame.hasConditionalSource && !frame.isSkippable;
    if (isLoop && isJoin) this.#joins.add(loopSegment, sources);
    if (frame.outermost >= index) return continued;
    const passed = isLoop ? NO_SOURCES : sources;
    if (isLoop || isJoin) this.#joins.add(i + 1, last === DEAD ? passed : this.#joins.list(last, passed));
    return i + 1;
  }

  #open(loops: number, continued: number, loopSegment: number): Frame {
    const frame = (this.#frames[this.#depth++] ??= newFrame());
    frame.loops = loops;
    frame.continued = continued;
    frame.loopSegment = loopSegment;
    frame.outermost = Infinity;
    frame.sources = NO_SOURCES;
    frame.hasConditionalSource = false;
    frame.isSkippable = false;
    return frame;
  }

  /** The frame that a label names; 0 is the innermost. Labels of a valid body name frames, which its last `end` closes. */
  #frameAt(label: number): Frame {
    return this.#frames[this.#depth - 1 - label]!;
  }

  #addSource(frame: Frame, segment: number): void {
    frame.sources = this.#joins.list(segment, frame.sources);
  }

  /** Marks the targets of a `br_table`, of which the buffer keeps the outermost only. */
  #markTable(body: InstructionBuffer, i: number, bytes: Uint8Array): void {
    const reader = new ByteReader(bytes, body.start[i]! + 1, body.start[i + 1]);
    for (let left = reader.u32(); left >= 0; left--) this.#frameAt(reader.u32()).hasConditionalSource = true;
  }

  #reset(count: number): void {
    if (this.charge.length < count) {
      this.charge = new Float64Array(count * 2);
      this.loopHead = new Uint8Array(count * 2);
      this.#weight = new Float64Array(count * 2);
    }
    this.charge.fill(0, 0, count);
    this.loopHead.fill(0, 0, count);
    this.hasLoops = false;
    this.hasLengths = false;
    this.#joins.reset(count);
    this.#depth = 0;
    this.chargeWeight = 0;
    this.callWeight = 0;
  }
}

interface Frame {
  /** Loops around and including this frame. */
  loops: number;
  /** The segment that surrounds the frame and goes on after it, unless something inside branches past its end. */
  continued: number;
  /** The segment at a loop's head; dead for other frames. */
  loopSegment: number;
  /** Index of the outermost frame that something inside branches to. */
  outermost: number;
  /** The list of segments that end by going to the frame's label, whatever happens. */
  sources: number;
  /** Whether a conditional branch goes there, too. */
  hasConditionalSource: boolean;
  /** An `if` as long as no `else` has shown up: a false condition goes straight to its end. */
  isSkippable: boolean;
}

function newFrame(): Frame {
  return {
    loops: 0,
    continued: DEAD,
    loopSegment: DEAD,
    outermost: Infinity,
    sources: NO_SOURCES,
    hasConditionalSource: false,
    isSkippable: false,
  };
}

function leave(frame: Frame, target: number): void {
  frame.outermost = Math.min(frame.outermost, target);
}
