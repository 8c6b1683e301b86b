import { describe, expect, it } from 'vitest';
import { readSharedData } from '@gleaner/example-testing';
import { MAX_SAH_BYTES, PACKED_BYTES, readSahHeader, SahFormatError, writeSahFile } from './sah-file.js';

const HEADER = { name: 'night', baseHz: 1_420_000_000, sampleRateHz: 9765.625, spikeThreshold: 25 };
const FILE = writeSahFile(HEADER, new Uint8Array(PACKED_BYTES).fill(0x71));

function withText(change: (text: string) => string): Uint8Array {
  return Buffer.from(change(Buffer.from(FILE).toString('latin1')), 'latin1');
}

describe('readSahHeader', () => {
  it('reads what was written', () => {
    expect(readSahHeader(FILE)).toEqual(HEADER);
  });

  const recording = readSharedData('seti/reference_work_unit.sah');
  it.skipIf(!recording)('reads a recording of the original project', () => {
    expect(readSahHeader(recording ?? new Uint8Array())).toEqual({
      name: 'reference.wu',
      baseHz: 1418916015.62,
      sampleRateHz: 9765.62,
      spikeThreshold: 22,
    });
  });

  it('takes the usual threshold where the header has none', () => {
    const file = withText((text) => text.replace(/<spike_thresh>.*<\/spike_thresh>/, ''));
    expect(readSahHeader(file).spikeThreshold).toBe(22);
  });

  it.each([
    ['no work unit', () => Buffer.from('hello'), 'not a SETI@home work unit'],
    ['no subband', () => withText((text) => text.replaceAll('subband_desc', 'x')), 'subband_desc'],
    ['no number', () => withText((text) => text.replace(/<base>[^<]*/, '<base>high')), '<base>'],
    ['missing samples', () => FILE.subarray(0, FILE.length - 100_000), 'of the 262144'],
    ['a file too large', () => new Uint8Array(MAX_SAH_BYTES + 1), 'at most'],
  ])('refuses %s and says so', (_, file, message) => {
    expect(() => readSahHeader(file())).toThrow(SahFormatError);
    expect(() => readSahHeader(file())).toThrow(message);
  });
});
