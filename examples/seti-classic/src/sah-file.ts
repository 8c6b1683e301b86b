import { TAPE_SAMPLES } from './chirp-grid.js';

/** Packed bytes of one tape: two bits a sample. */
export const PACKED_BYTES = TAPE_SAMPLES / 4;
/** Largest file that is read: a work unit has about 360 KB. */
export const MAX_SAH_BYTES = 4 * 1024 * 1024;

const CHARACTERS_PER_LINE = 64;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const FIRST_CHARACTER = 0x20;

/** What a search needs to know of a recording. */
export interface SahHeader {
  readonly name: string;
  /** Frequency of bin 0, in Hz. */
  readonly baseHz: number;
  /** Complex samples per second. */
  readonly sampleRateHz: number;
  /** Power over mean power above which a bin is a spike. */
  readonly spikeThreshold: number;
}

/** A file that is not a usable `.sah` work unit; the message says what is missing. */
export class SahFormatError extends Error {
  override readonly name = 'SahFormatError';
}

/**
 * Reads the header of a SETI@home work unit and checks that its data is complete.
 *
 * @throws SahFormatError where the file is too large, lacks a field, or holds fewer than 2^20 samples
 */
export function readSahHeader(file: Uint8Array): SahHeader {
  if (file.length > MAX_SAH_BYTES) {
    throw new SahFormatError(`the file has ${file.length} bytes; a work unit has at most ${MAX_SAH_BYTES}`);
  }
  const text = Buffer.from(file.buffer, file.byteOffset, file.length).toString('latin1');
  const dataStart = text.indexOf('<data length=');
  if (!text.includes('<workunit') || dataStart < 0) {
    throw new SahFormatError('not a SETI@home work unit: <workunit> and <data length=…> are needed');
  }
  const header = text.slice(0, dataStart);
  const subband = /<subband_desc>([\s\S]*?)<\/subband_desc>/.exec(header)?.[1];
  if (subband === undefined) throw new SahFormatError('the header has no <subband_desc>');
  const sampleBytes = countPackedBytes(text, dataStart);
  if (sampleBytes < PACKED_BYTES) {
    throw new SahFormatError(
      `the data holds ${sampleBytes} bytes of the ${PACKED_BYTES} that 2^20 samples need`,
    );
  }
  return {
    name: /<name>\s*([^<]*?)\s*<\/name>/.exec(header)?.[1] ?? 'tape',
    baseHz: positiveNumber(subband, 'base'),
    sampleRateHz: positiveNumber(subband, 'sample_rate'),
    spikeThreshold: header.includes('<spike_thresh>') ? positiveNumber(header, 'spike_thresh') : 22,
  };
}

/**
 * Writes a work unit in the same format: header, then 4 printable characters for every 3 bytes.
 *
 * @param packed {@link PACKED_BYTES} bytes, four samples each, low bits first; bytes are swapped in pairs here
 */
export function writeSahFile(header: SahHeader, packed: Uint8Array): Uint8Array {
  if (packed.length !== PACKED_BYTES)
    throw new RangeError(`expected ${PACKED_BYTES} bytes, got ${packed.length}`);
  const data = encodeData(packed);
  const centerHz = header.baseHz + (header.sampleRateHz * 7) / 16;
  const head = `<workunit>
<workunit_header>
<name>${header.name}</name>
<group_info>
 <data_desc>
  <nsamples>${TAPE_SAMPLES}</nsamples>
 </data_desc>
 <analysis_cfg>
  <spike_thresh>${header.spikeThreshold.toFixed(1)}</spike_thresh>
  <chirp_resolution>0.333</chirp_resolution>
  <analysis_fft_lengths>262136</analysis_fft_lengths>
  <bsmooth_boxcar_length>8192</bsmooth_boxcar_length>
  <bsmooth_chunk_size>32768</bsmooth_chunk_size>
 </analysis_cfg>
</group_info>
<subband_desc>
 <number>0</number>
 <center>${centerHz.toFixed(3)}</center>
 <base>${header.baseHz.toFixed(3)}</base>
 <sample_rate>${header.sampleRateHz.toFixed(3)}</sample_rate>
</subband_desc>
</workunit_header>
<data length=${data.length} encoding="x-setiathome">
`;
  return Buffer.concat([Buffer.from(head, 'latin1'), data, Buffer.from('</data>\n</workunit>\n', 'latin1')]);
}

function encodeData(packed: Uint8Array): Uint8Array {
  const groups = Math.ceil(packed.length / 3);
  const encoded = Buffer.alloc(groups * 4 + Math.ceil((groups * 4) / CHARACTERS_PER_LINE), NEWLINE);
  let position = 0;
  for (let group = 0; group < groups; group++) {
    let bits = 0;
    for (let i = 0; i < 3; i++) bits |= (packed[(group * 3 + i) ^ 1] ?? 0) << (8 * i);
    for (let i = 0; i < 4; i++) encoded[position++] = FIRST_CHARACTER + ((bits >> (6 * i)) & 0x3f);
    if ((group * 4 + 4) % CHARACTERS_PER_LINE === 0) position++;
  }
  return encoded;
}

function countPackedBytes(text: string, dataStart: number): number {
  const start = text.indexOf('>', dataStart) + 1;
  // `<` is a data character too; only the whole end tag ends the data.
  const closing = text.indexOf('</data>', start);
  const end = closing < 0 ? text.length : closing;
  let characters = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code !== NEWLINE && code !== CARRIAGE_RETURN) characters++;
  }
  return Math.floor(characters / 4) * 3;
}

function positiveNumber(text: string, tag: string): number {
  const value = Number(new RegExp(`<${tag}>\\s*([^<\\s]*)\\s*<`).exec(text)?.[1] ?? NaN);
  if (!Number.isFinite(value) || value <= 0) throw new SahFormatError(`<${tag}> must be a positive number`);
  return value;
}
