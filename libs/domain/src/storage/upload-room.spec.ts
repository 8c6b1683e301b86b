import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findNoUploadRoom,
  heldBytesOf,
  MIN_HELD_BYTES,
  uploadRoomBytes,
  type UploaderStanding,
} from './upload-room.js';

const MIB = 1024 ** 2;
const RULES = { perScientistBytes: 100 * MIB, newcomersBytes: 40 * MIB };

describe('room for uploads', () => {
  it('is as much as the rules say for a scientist, a part of what all have for a newcomer, and no matter for operators', () => {
    expect(uploadRoomBytes('scientist', RULES)).toBe(100 * MIB);
    expect(uploadRoomBytes('newcomer', RULES)).toBe(10 * MIB);
    expect(uploadRoomBytes('operator', RULES)).toBeNull();
  });

  it('is refused with what there would be room for', () => {
    const room = { standing: 'scientist', heldBytes: 99 * MIB, newcomersHeldBytes: 0 } as const;
    expect(findNoUploadRoom(MIB, room, RULES)).toBeNull();
    expect(findNoUploadRoom(MIB + 1, room, RULES)).toEqual({
      whose: 'account',
      maxBytes: 100 * MIB,
      leftBytes: MIB,
    });
  });

  it('that other newcomers hold is none for a newcomer, and does not concern a scientist', () => {
    const room = { heldBytes: 0, newcomersHeldBytes: 39 * MIB };
    expect(findNoUploadRoom(2 * MIB, { ...room, standing: 'newcomer' }, RULES)).toEqual({
      whose: 'newcomers',
      maxBytes: 40 * MIB,
      leftBytes: MIB,
    });
    expect(findNoUploadRoom(2 * MIB, { ...room, standing: 'scientist' }, RULES)).toBeNull();
  });

  it('is used by the shortest content as well', () => {
    expect(heldBytesOf(0)).toBe(MIN_HELD_BYTES);
    expect(heldBytesOf(MIN_HELD_BYTES + 1)).toBe(MIN_HELD_BYTES + 1);
  });

  it('holds whatever is uploaded and given back, by whomever, in whatever order', () => {
    const standing = fc.constantFrom<UploaderStanding>('newcomer', 'scientist', 'operator');
    const step = fc.record({
      who: fc.nat({ max: 5 }),
      sizeBytes: fc.nat({ max: 30 * MIB }),
      givesBack: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(standing, { minLength: 6, maxLength: 6 }), fc.array(step), (people, steps) => {
        const held = people.map((): number[] => []);
        const sum = (bytes: readonly number[]): number => bytes.reduce((all, each) => all + each, 0);
        const ofNewcomers = (): number => sum(held.filter((_, who) => people[who] === 'newcomer').flat());
        for (const { who, sizeBytes, givesBack } of steps) {
          const [own, standingOf] = [held[who] ?? [], people[who] ?? 'newcomer'];
          if (givesBack) own.pop();
          else {
            const room = { standing: standingOf, heldBytes: sum(own), newcomersHeldBytes: ofNewcomers() };
            if (findNoUploadRoom(sizeBytes, room, RULES) === null) own.push(heldBytesOf(sizeBytes));
          }
          for (const [index, each] of people.entries()) {
            expect(sum(held[index] ?? [])).toBeLessThanOrEqual(uploadRoomBytes(each, RULES) ?? Infinity);
          }
          expect(ofNewcomers()).toBeLessThanOrEqual(RULES.newcomersBytes);
        }
      }),
    );
  });
});
