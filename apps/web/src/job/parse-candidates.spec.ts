import { expect, it } from 'vitest';
import { parseCandidates } from './parse-candidates';

const LINE =
  '{"type":"spike","power":23.7865,"fft_len":131072,"chirp_ix":2862,"chirp":5.290463,"bin":9,"freq":1418918910.1,"sec":6.71,"detection_freq":1418918946.4924}';

it('reads the signals of an answer, strongest first', () => {
  const weaker = LINE.replace('23.7865', '22.5').replace('131072', '65536');
  expect(parseCandidates(`${weaker}\n${LINE}\n`)).toEqual([
    {
      power: 23.7865,
      fftLen: 131072,
      chirpHzPerS: 5.290463,
      bin: 9,
      seconds: 6.71,
      detectionHz: 1418918946.4924,
    },
    expect.objectContaining({ power: 22.5, fftLen: 65536 }),
  ]);
  expect(parseCandidates('')).toEqual([]);
});

it.each([
  ['another app', '521 prime 0x0\n'],
  ['another kind of line', '{"type":"pulse","power":1}\n'],
  ['a field that is missing', '{"type":"spike","power":1}\n'],
  ['a field that is no number', LINE.replace('23.7865', '"<b>"')],
  ['no object', 'null\n'],
])('does not take %s for signals', (_what, answer) => {
  expect(parseCandidates(answer)).toBeNull();
});
