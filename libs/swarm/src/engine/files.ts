import type { Channels } from './channels.js';
import type { Downloads } from './downloads.js';
import type { OriginPlan } from './origin-plan.js';
import type { FileInit, SwapEvent } from './swap-events.js';
import { FileState, type SwapState } from './swap-state.js';
import type { Uploads } from './uploads.js';

/** What carries a file's chunks. */
interface Carriers {
  readonly channels: Channels;
  readonly downloads: Downloads;
  readonly uploads: Uploads;
  readonly origin: OriginPlan;
}

/** What an open file is told of. */
type FileEvent = Extract<
  SwapEvent,
  {
    kind:
      | 'file-removed'
      | 'ticket-renewed'
      | 'wanted'
      | 'unwanted'
      | 'chunk-lost'
      | 'origin-granted'
      | 'origin-fetched';
  }
>;

/** Which files are shared, and which of their chunks are wanted, there, or lost. */
export class Files {
  constructor(
    private readonly state: SwapState,
    private readonly carriers: Carriers,
  ) {}

  /** @throws {RangeError} when it is open already, or one too many */
  add(init: FileInit, nowMs: number): void {
    const { files, config } = this.state;
    if (files.has(init.manifestId)) throw new RangeError(`file ${init.manifestId} is open already`);
    const used = new Set([...files.values()].map(({ channel }) => channel));
    const channel = Array.from({ length: config.maxFiles }, (_, index) => index).find(
      (index) => !used.has(index),
    );
    if (channel === undefined) throw new RangeError(`at most ${config.maxFiles} files can be open`);
    const file = new FileState(init, channel, nowMs);
    files.set(init.manifestId, file);
    this.carriers.channels.addFile(file, nowMs);
  }

  /** @throws {RangeError} for a chunk that the file does not have */
  onEvent(file: FileState, event: FileEvent, nowMs: number): void {
    const { channels, origin } = this.carriers;
    switch (event.kind) {
      case 'file-removed':
        this.#remove(file);
        return;
      case 'ticket-renewed':
        channels.renewTicket(file, event.ticket);
        return;
      case 'wanted':
        this.#want(file, event.chunks, nowMs);
        return;
      case 'unwanted':
        this.#unwant(file, event.chunks);
        return;
      case 'chunk-lost':
        this.#lost(file, event.chunk);
        return;
      case 'origin-granted':
        origin.onGranted(file, event, nowMs);
        return;
      case 'origin-fetched':
        if (event.isStored) this.stored(file, event.chunk);
        origin.onFetched(file, event.chunk, nowMs);
    }
  }

  /** The chunk is there by now, wherever it came from. */
  stored(file: FileState, chunk: number): void {
    file.missing.delete(chunk);
    if (!file.have.add(chunk)) return;
    this.carriers.downloads.onStored(file, chunk);
    this.carriers.channels.announce(file, chunk);
  }

  #remove(file: FileState): void {
    const { channels, downloads, uploads } = this.carriers;
    for (const chunk of file.checking) downloads.onChecked(file, chunk);
    downloads.dropFile(file);
    uploads.dropFile(file);
    channels.closeFile(file);
    this.state.files.delete(file.manifestId);
  }

  #want(file: FileState, chunks: Iterable<number>, nowMs: number): void {
    for (const chunk of chunks) {
      if (chunk < 0 || chunk >= file.init.chunkCount)
        throw new RangeError(`no chunk ${chunk} in ${file.manifestId}`);
      file.wanted.set(chunk, (file.wanted.get(chunk) ?? 0) + 1);
      if (!file.have.has(chunk)) file.missing.add(chunk);
    }
    const { channels, downloads, origin } = this.carriers;
    for (const peer of this.state.peers.values()) channels.updateInterest(peer, file);
    downloads.plan(nowMs);
    origin.plan(file, nowMs);
  }

  #unwant(file: FileState, chunks: Iterable<number>): void {
    for (const chunk of chunks) {
      const left = (file.wanted.get(chunk) ?? 0) - 1;
      if (left > 0) {
        file.wanted.set(chunk, left);
        continue;
      }
      file.wanted.delete(chunk);
      // What is on its way is let in: it is nearly here, and others may want it.
      file.missing.delete(chunk);
    }
  }

  /** The chunk is no longer there: who asked for it is told, and it is fetched again where it is wanted. */
  #lost(file: FileState, chunk: number): void {
    if (!file.have.delete(chunk)) return;
    this.carriers.uploads.dropChunk(file, chunk);
    if (file.wanted.has(chunk)) file.missing.add(chunk);
  }
}
