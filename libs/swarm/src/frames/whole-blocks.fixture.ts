import { FRAME_LIMITS, type Frame } from './frame.js';

/** Puts the parts of a block that the decoder passes on as they come together again, as their sender wrote them. */
export function wholeBlocks(frames: readonly Frame[]): Frame[] {
  const whole: Frame[] = [];
  for (const frame of frames) {
    const last = whole.at(-1);
    const isPart = frame.type === 'block' && frame.offset % FRAME_LIMITS.blockBytes !== 0;
    if (!isPart) {
      whole.push(frame.type === 'block' ? { ...frame, bytes: new Uint8Array(frame.bytes) } : frame);
    } else if (last?.type === 'block' && frame.offset === last.offset + last.bytes.length) {
      whole[whole.length - 1] = { ...last, bytes: new Uint8Array([...last.bytes, ...frame.bytes]) };
    } else {
      throw new RangeError(`a part at ${frame.offset} follows nothing`);
    }
  }
  return whole;
}
