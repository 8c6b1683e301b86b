import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJobFile } from './job-file.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-job-file-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const HEAD = 'name: mass\napp: mass@1\n';
const RANGE = 'split: [{kind: range, name: p, from: 2, to: 32, step: 10}]\n';
const JOB = `${HEAD}${RANGE}`;

async function read(content: string | Uint8Array, name = 'job.yaml') {
  const path = join(directory, name);
  await writeFile(path, content);
  return readJobFile(path, []);
}

describe('a job file', () => {
  it.each([
    ['a byte order mark', Buffer.from(`\uFEFF${JOB}`)],
    ['the line ends of Windows', Buffer.from(JOB.replaceAll('\n', '\r\n'))],
    ['UTF-16, as PowerShell writes', Buffer.from(`\uFEFF${JOB}`, 'utf16le')],
    ['UTF-16 the other way round', Buffer.from(`\uFEFF${JOB}`, 'utf16le').swap16()],
    ['comments', Buffer.from(`# of today\n${JOB}# the end\n`)],
  ])('may have %s', async (_what, bytes) => {
    expect((await read(bytes)).content).toMatchObject({ name: 'mass', split: [{ from: 2, to: 32 }] });
  });

  it.each([
    [
      'text in another encoding',
      Buffer.from(JOB.replace('mass', 'maße'), 'latin1'),
      /not text in UTF-8: save/,
    ],
    ['an asterisk that is meant as text', `${JOB}outputs: [*.txt]\n`, /"\*" needs quotes$/],
    ['several jobs', `${JOB}---\n${JOB}`, /each job into a file of its own$/],
    [
      'placeholders without quotes',
      `${JOB}args: [{p.from}]\n`,
      /\/args\/0: must be a string.*"{…}" needs quotes$/,
    ],
    [
      'a number for text',
      `${JOB}limits: {maxCycles: 1e12}\n`,
      /must be a string, not 1000000000000: write it in quotes$/,
    ],
    ['nothing', '\n', /job.yaml is empty$/],
    [
      'half a blob id',
      `${JOB}inputs: {tape: sha256:5ac0f5}\n`,
      /\/inputs\/tape: must be "sha256:" followed by/,
    ],
    [
      'more than a job file can hold',
      Buffer.alloc(9 * 1024 * 1024, 'A'),
      /it has .*, and a job file at most/,
    ],
  ])('with %s is told what to do', async (_what, content, said) => {
    await expect(read(content)).rejects.toThrow(said);
  });

  it('in JSON has no comments, which YAML would take for a part of a value', async () => {
    const json = JSON.stringify({ name: 'mass', app: 'mass@1', split: [], args: [3, 7] });
    const commented = json.replace('3,', '3, // small\n');
    await expect(read(commented, 'job.json')).rejects.toThrow(
      /job.json is not JSON: .*; .* begin them with "#"$/,
    );
    await expect(read(json, 'job.json')).rejects.toThrow('/split: must have at least 1 items');
  });

  it('keeps integers as they are written, or says that it cannot', async () => {
    const grid = (values: string) => `${HEAD}split: [{kind: grid, name: g, lists: {seed: [${values}]}}]\n`;
    expect((await read(grid('9007199254740991, 1.5e300, -7'))).content).toMatchObject({
      split: [{ lists: { seed: [9007199254740991, 1.5e300, -7] } }],
    });
    await expect(read(grid('1, 12345678901234567890'))).rejects.toThrow(
      /\/split\/0\/lists\/seed\/1: 12345678901234567890 is beyond 2\^53, .* write it in quotes$/,
    );
    const quoted = await read(grid("'12345678901234567890'"));
    expect(quoted.content).toMatchObject({ split: [{ lists: { seed: ['12345678901234567890'] } }] });
  });

  it('is told each fault once', async () => {
    const huge = JOB.replace('to: 32', 'to: 1e300');
    await expect(read(huge)).rejects.toThrow(/is not a valid job:\n {2}\/split\/0\/to: .*$/);
  });

  it('is looked through before its inputs are', async () => {
    const file = `${JOB}inputs: {tape: gone.sah}\nmerge: {kind: average}\n`;
    await expect(read(file)).rejects.toThrow(/\/merge\/kind: must be "concat"/);
    expect((await read(`${JOB}inputs: {tape: gone.sah}\n`)).inputs).toEqual({
      tape: { kind: 'file', path: join(directory, 'gone.sah') },
    });
  });
});
