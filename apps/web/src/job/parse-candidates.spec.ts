import { describe, expect, it } from 'vitest';
import { beginsWithCandidate, CANDIDATES_SHOWN_MAX, parseCandidates } from './parse-candidates';

const LINE =
  '{"type":"spike","power":23.7865,"fft_len":131072,"chirp_ix":2862,"chirp":5.290463,"bin":9,"freq":1418918910.1,"sec":6.71,"detection_freq":1418918946.4924}';

function withPower(power: number): string {
  return LINE.replace('23.7865', `${power}`);
}

describe('the candidates of an answer', () => {
  it('are told strongest first', () => {
    const weaker = withPower(22.5).replace('131072', '65536');
    expect(parseCandidates(`${weaker}\n${LINE}\n`)).toEqual({
      total: 2,
      strongest: [
        {
          power: 23.7865,
          fftLen: 131072,
          chirpHzPerS: 5.290463,
          bin: 9,
          seconds: 6.71,
          detectionHz: 1418918946.4924,
        },
        expect.objectContaining({ power: 22.5, fftLen: 65536 }),
      ],
    });
    expect(parseCandidates('')).toEqual({ strongest: [], total: 0 });
  });

  it('are the strongest of many, wherever they stand in the answer', () => {
    const total = 2 * CANDIDATES_SHOWN_MAX + 500;
    const answer = Array.from({ length: total }, (_, index) => withPower(25 + index)).join('\n');
    const candidates = parseCandidates(answer);
    expect(candidates?.total).toBe(total);
    expect(candidates?.strongest).toHaveLength(CANDIDATES_SHOWN_MAX);
    expect(candidates?.strongest[0]?.power).toBe(25 + total - 1);
    expect(candidates?.strongest.at(-1)?.power).toBe(25 + total - CANDIDATES_SHOWN_MAX);
  });

  it.each([
    ['another app', '521 prime 0x0\n'],
    ['another kind of line', '{"type":"pulse","power":1}\n'],
    ['a field that is missing', '{"type":"spike","power":1}\n'],
    ['a field that is no number', `${LINE.replace('23.7865', '"<b>"')}\n`],
    ['no object', 'null\n'],
    ['a line after candidates', `${LINE}\n521 prime 0x0\n`],
  ])('are not taken from %s', (_what, answer) => {
    expect(parseCandidates(answer)).toBeNull();
  });
});

it('an answer begins with a candidate or is not one of candidates', () => {
  expect(beginsWithCandidate(`${LINE}\n{"type":"spi`)).toBe(true);
  expect(beginsWithCandidate('521 prime 0x0\n523 composite')).toBe(false);
  expect(beginsWithCandidate(LINE.slice(0, 50))).toBe(false);
  expect(beginsWithCandidate('x'.repeat(4096))).toBe(false);
});
