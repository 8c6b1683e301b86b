import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import * as OP from './control-opcodes.js';

/** A block, loop or if by the instructions that open and end it. */
export interface CallRegion {
  readonly open: number;
  readonly end: number;
}

interface Frame {
  readonly open: number;
  readonly isInLoop: boolean;
  readonly callsBefore: number;
  outermost: number;
}

/**
 * The smallest block, loop or if that contains all calls of a body, is left at its end only, and runs at most once an
 * activation; null where there is none. Only there does an activation need its share of the virtual stack: recursion
 * that ends in an early exit pays nothing for its leaves, which are most of its activations.
 */
export function callRegion(body: InstructionBuffer): CallRegion | null {
  const candidates: Array<CallRegion & { readonly calls: number }> = [];
  const frames: Frame[] = [{ open: 0, isInLoop: false, callsBefore: 0, outermost: Infinity }];
  let calls = 0;
  for (let i = 0; i < body.count; i++) {
    const code = body.code[i]!;
    const frame = frames[frames.length - 1]!; // The function's frame is popped by the last instruction only.
    switch (code) {
      case OP.BLOCK:
      case OP.LOOP:
      case OP.IF: {
        const isInLoop = frame.isInLoop || body.code[frame.open] === OP.LOOP;
        frames.push({
          open: i,
          isInLoop: isInLoop && frames.length > 1,
          callsBefore: calls,
          outermost: Infinity,
        });
        break;
      }
      case OP.END: {
        frames.pop();
        const parent = frames[frames.length - 1];
        if (parent === undefined) break;
        parent.outermost = Math.min(parent.outermost, frame.outermost);
        const isLeftAtEnd = frame.outermost >= frames.length;
        if (isLeftAtEnd && !frame.isInLoop)
          candidates.push({ open: frame.open, end: i, calls: calls - frame.callsBefore });
        break;
      }
      case OP.BR:
      case OP.BR_IF:
      case OP.BR_TABLE:
        frame.outermost = Math.min(frame.outermost, frames.length - 1 - body.immediate[i]!);
        break;
      case OP.RETURN:
        frame.outermost = 0;
        break;
      case OP.CALL:
      case OP.CALL_INDIRECT:
        calls++;
        break;
    }
  }
  // Frames end from the inside out: the first that has all calls is the smallest.
  return candidates.find((candidate) => candidate.calls === calls) ?? null;
}
