/**
 * Writes a tape of noise with eight tones in it: `node dist/make-tape.js FILE.sah [SEED]`. Prints, as JSON, the tones and
 * the blob's id; seed 1 makes the tape of `job.json`.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { exampleTape } from './example-tape.js';

const [file, seedText = '1'] = process.argv.slice(2);
const seed = Number(seedText);
if (file === undefined || !Number.isSafeInteger(seed) || seed < 0) {
  console.error('usage: make-tape FILE.sah [SEED]');
  process.exit(2);
}
const { bytes, injected } = exampleTape(seed);
writeFileSync(file, bytes);
const blobId = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
console.log(JSON.stringify({ file, blobId, injected }, null, 2));
