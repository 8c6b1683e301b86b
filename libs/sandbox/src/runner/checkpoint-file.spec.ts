import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { aHost } from '../testing/host-app.js';
import { captureHost } from '../wasi/host-state.js';
import { checkpointFiles } from './checkpoint-file.js';
import { decodeHeader, type UnitSnapshot } from './snapshot.js';

const directory = mkdtempSync(join(tmpdir(), 'gleaner-checkpoint-'));
afterAll(() => rmSync(directory, { recursive: true }));

const MIB = 1024 * 1024;

function aSnapshot(...segments: Uint8Array[]): UnitSnapshot {
  const header = {
    runtimeVersion: 'gleaner-test',
    moduleSha256: 'aa',
    unitKey: 'bb',
    cyclesLeft: '5',
    globals: ['1', '-0', 'Infinity'],
    memoryBytes: 0,
    memoryRuns: [],
    host: captureHost(aHost().host).state,
  };
  return { header, segments };
}

async function saved(name: string, snapshot: UnitSnapshot): Promise<string> {
  const path = join(directory, name);
  await checkpointFiles.save(path, snapshot);
  return path;
}

/** Null also for what is refused. */
function loadedOrNull(path: string) {
  try {
    return checkpointFiles.load(path);
  } catch {
    return null;
  }
}

describe('checkpointFiles', () => {
  it('does not compress what cannot be compressed', async () => {
    const noise = randomBytes(2 * MIB);
    const path = await saved('noise', aSnapshot(noise.subarray(0, MIB), noise.subarray(MIB)));
    expect(decodeHeader(readFileSync(path)).payload.encoding).toBe('raw');
    expect(checkpointFiles.load(path)?.payload).toEqual(noise);
  });

  it('compresses what pays', async () => {
    const text = Buffer.from('the same words again and again. '.repeat(60_000));
    const snapshot = aSnapshot(text);
    const path = await saved('text', snapshot);
    expect(statSync(path).size).toBeLessThan(text.length / 10);
    expect(checkpointFiles.load(path)).toEqual({ header: snapshot.header, payload: text });
  });

  it('replaces the file whole and leaves nothing beside it', async () => {
    await saved('twice', aSnapshot(Buffer.from('first')));
    const path = await saved('twice', aSnapshot(Buffer.from('second')));
    expect(checkpointFiles.load(path)?.payload).toEqual(Buffer.from('second'));
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);
    checkpointFiles.remove(path);
    checkpointFiles.remove(path);
    expect(existsSync(path)).toBe(false);
  });

  it('leaves nothing beside what was there when it cannot be written', async () => {
    // Nothing takes the place of a directory that is not empty.
    const path = join(directory, 'taken');
    mkdirSync(join(path, 'inside'), { recursive: true });
    await expect(saved('taken', aSnapshot(randomBytes(1000)))).rejects.toThrow();
    expect(readdirSync(directory).filter((name) => name.startsWith('taken'))).toEqual(['taken']);
  });

  it('keeps no state in so many pieces that it would not be read again, but what was kept before', async () => {
    const snapshot = aSnapshot(randomBytes(1000));
    const path = await saved('pieces', snapshot);
    const globals = Array.from({ length: 1100 }, () => '7'.repeat(64 * 1024));
    await expect(
      checkpointFiles.save(path, { ...snapshot, header: { ...snapshot.header, globals } }),
    ).rejects.toThrow(/too many pieces/);
    expect(checkpointFiles.load(path)?.header).toEqual(snapshot.header);
    expect(readdirSync(directory).filter((name) => name.startsWith('pieces'))).toEqual(['pieces']);
  });

  it('finds nothing where there is no file or its payload is damaged, and refuses what is no snapshot', async () => {
    expect(checkpointFiles.load(join(directory, 'missing'))).toBeNull();
    const path = await saved('damaged', aSnapshot(randomBytes(1000)));
    const bytes = readFileSync(path);
    bytes[bytes.length - 500]! ^= 1;
    writeFileSync(path, bytes);
    expect(checkpointFiles.load(path)).toBeNull();
    writeFileSync(path, 'something else');
    expect(() => checkpointFiles.load(path)).toThrow(TypeError);
  });

  it('finds nothing of use wherever a bit is another one', async () => {
    const path = await saved('bit', aSnapshot(randomBytes(100)));
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      expect(loadedOrNull(path), `byte ${at}`).toBeNull();
    }
  });
});
