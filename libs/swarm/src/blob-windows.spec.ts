import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestBytes, type Manifest } from '@gleaner/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobWindows, type OpenWindow } from './blob-windows.js';
import type {
  BlobLocation,
  ChunkRequest,
  ChunkSource,
  ManifestSource,
  VerifiedChunk,
} from './chunk-source.js';
import { SourceSupply } from './chunk-supply.js';
import { ContentCache } from './content-cache.js';
import { sha256Hex } from './sha256.js';
import { ChunkStore } from './store/index.js';

const CHUNK = 256 * 1024;
const CONTENT = Uint8Array.from(
  { length: 4 * CHUNK + 7 },
  (_, index) => (index ^ (index >> 9) ^ ((index >> 18) * 37)) & 0xff,
);
const MANIFEST: Manifest = {
  v: 1,
  alg: 'sha256',
  size: CONTENT.length,
  chunk: CHUNK,
  hashes: [0, 1, 2, 3, 4].map((index) => sha256Hex(chunkOf(index))),
};
const LOCATION: BlobLocation = {
  blobId: `sha256:${sha256Hex(CONTENT)}`,
  manifestId: sha256Hex(manifestBytes(MANIFEST)),
  sizeBytes: CONTENT.length,
  manifestUrl: '/manifest',
  contentUrl: '/content',
};
const NEVER = new AbortController().signal;

function chunkOf(index: number): Uint8Array {
  return CONTENT.subarray(index * CHUNK, (index + 1) * CHUNK);
}

/** A source that holds the whole blob, and remembers what it was asked for. */
class WholeBlob implements ChunkSource, ManifestSource {
  readonly asked: number[] = [];
  /** Chunks come after this. */
  delay = Promise.resolve();

  async fetchManifest(): Promise<Manifest> {
    return MANIFEST;
  }

  async *fetchChunks({ indices }: ChunkRequest): AsyncGenerator<VerifiedChunk> {
    await this.delay;
    // Any order is allowed.
    for (const index of [...indices].reverse()) {
      this.asked.push(index);
      yield { index, sha256: MANIFEST.hashes[index] ?? '', bytes: chunkOf(index) };
    }
  }
}

let directory: string;
let cache: ContentCache;
let store: ChunkStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-windows-'));
  cache = await ContentCache.open({ directory: join(directory, 'cache'), quotaBytes: CHUNK });
  store = await ChunkStore.open({ directory: join(directory, 'chunks'), quotaBytes: 3 * CHUNK });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

function windowsOver(source: WholeBlob): BlobWindows {
  return new BlobWindows({ cache, store, manifests: source, supply: new SourceSupply(source, store) });
}

async function read(window: OpenWindow): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const { path, offset, length } of window.pieces) {
    parts.push((await readFile(path)).subarray(offset, offset + length));
  }
  return new Uint8Array(Buffer.concat(parts));
}

describe('BlobWindows', () => {
  it('fetches only the chunks that a window touches, and joins them in order', async () => {
    const source = new WholeBlob();
    using window = await windowsOver(source).open(
      { location: LOCATION, offset: CHUNK - 5, length: CHUNK + 10 },
      NEVER,
    );
    expect(new Set(source.asked)).toEqual(new Set([0, 1, 2]));
    expect(await read(window)).toEqual(CONTENT.slice(CHUNK - 5, 2 * CHUNK + 5));
  });

  it('fetches a chunk once for tasks that want it at the same time', async () => {
    const source = new WholeBlob();
    const windows = windowsOver(source);
    const request = { location: LOCATION, offset: 10, length: 20 };
    const [first, second] = await Promise.all([windows.open(request, NEVER), windows.open(request, NEVER)]);
    expect(source.asked).toEqual([0]);
    expect(await read(first)).toEqual(await read(second));
  });

  it('lets go at once of who waits for another task’s fetch and is no longer wanted', async () => {
    const source = new WholeBlob();
    const arriving = Promise.withResolvers<void>();
    source.delay = arriving.promise;
    const windows = windowsOver(source);
    const first = windows.open({ location: LOCATION, offset: 0, length: 10 }, NEVER);
    const unwanted = new AbortController();
    const behind = windows.open({ location: LOCATION, offset: CHUNK, length: 10 }, unwanted.signal);
    unwanted.abort(new Error('dropped'));
    await expect(behind).rejects.toThrow('dropped');
    arriving.resolve();
    using window = await first;
    expect(await read(window)).toEqual(CONTENT.slice(0, 10));
    expect(source.asked).toEqual([0]);
  });

  it('makes room for another window once one is disposed of', async () => {
    const windows = windowsOver(new WholeBlob());
    const whole = { location: LOCATION, offset: 0, length: 3 * CHUNK };
    const later = { location: LOCATION, offset: 3 * CHUNK, length: CHUNK };
    const first = await windows.open(whole, NEVER);
    await expect(windows.open(later, NEVER)).rejects.toThrow(/open tasks need/);
    first[Symbol.dispose]();
    using second = await windows.open(later, NEVER);
    expect(await read(second)).toEqual(CONTENT.slice(3 * CHUNK, 4 * CHUNK));
  });

  it('refuses a window beyond the end of the blob', async () => {
    const windows = windowsOver(new WholeBlob());
    const beyond = { location: LOCATION, offset: CONTENT.length - 1, length: 2 };
    await expect(windows.open(beyond, NEVER)).rejects.toThrow(RangeError);
  });

  it('opens an empty window without asking anybody', async () => {
    const source = new WholeBlob();
    using window = await windowsOver(source).open({ location: LOCATION, offset: 5, length: 0 }, NEVER);
    expect(window.pieces).toEqual([]);
    expect(source.asked).toEqual([]);
  });
});
