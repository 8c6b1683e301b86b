import { fail } from "./process";
import {
  ERRNO_SUCCESS, fd_close, fd_filestat_get, fd_prestat_dir_name, fd_prestat_get, fd_read, fd_seek, fd_write,
  OFLAG_CREATE, OFLAG_TRUNCATE, path_open, RIGHT_FD_FILESTAT_GET, RIGHT_FD_READ, RIGHT_FD_SEEK, RIGHT_FD_TELL,
  RIGHT_FD_WRITE,
} from "./wasi";

/** First descriptor that can be a preopened directory; 0, 1 and 2 are the standard streams. */
const FIRST_PREOPEN_FD: i32 = 3;
/** Offset of the size in a WASI `filestat` of 64 bytes. */
const FILESTAT_SIZE_OFFSET: usize = 32;

/** The whole content of `/input/NAME`, at most 1 GiB. Ends the unit as failed where it is missing. */
export function readInput(name: string): StaticArray<u8> {
  return readFile("/input/" + name);
}

/** The whole content of a file. Ends the unit as failed where it cannot be read. */
export function readFile(path: string): StaticArray<u8> {
  const file = InputFile.open(path);
  const content = new StaticArray<u8>(<i32>file.sizeBytes());
  const bytesRead = file.read(changetype<usize>(content), content.length);
  if (bytesRead != content.length) fail("cannot read all of " + path);
  file.close();
  return content;
}

/** A file read by pieces, for inputs larger than the app's memory. */
export class InputFile {
  private vector: usize = heap.alloc(12);

  private constructor(private fd: i32, private path: string) {}

  static open(path: string): InputFile {
    return new InputFile(
      openPath(path, 0, RIGHT_FD_READ | RIGHT_FD_SEEK | RIGHT_FD_TELL | RIGHT_FD_FILESTAT_GET), path,
    );
  }

  sizeBytes(): i64 {
    const stat = heap.alloc(64);
    if (fd_filestat_get(this.fd, stat) != ERRNO_SUCCESS) fail("cannot read the size of " + this.path);
    const size = load<i64>(stat, FILESTAT_SIZE_OFFSET);
    heap.free(stat);
    return size;
  }

  /** Fills `pointer` with the next bytes; returns how many, fewer than `bytes` only at the end of the file. */
  read(pointer: usize, bytes: i32): i32 {
    let total = 0;
    while (total < bytes) {
      store<usize>(this.vector, pointer + total);
      store<i32>(this.vector, bytes - total, 4);
      if (fd_read(this.fd, this.vector, 1, this.vector + 8) != ERRNO_SUCCESS) fail("cannot read " + this.path);
      const count = load<i32>(this.vector, 8);
      if (count == 0) break;
      total += count;
    }
    return total;
  }

  /** Moves to an absolute position in bytes. */
  seek(position: i64): void {
    const result = heap.alloc(8);
    if (fd_seek(this.fd, position, 0, result) != ERRNO_SUCCESS) fail("cannot seek in " + this.path);
    heap.free(result);
  }

  close(): void {
    fd_close(this.fd);
  }
}

/** Creates or empties a file such as `/output/NAME` and returns its descriptor for an {@link Output}. */
export function createFile(path: string): i32 {
  return openPath(path, OFLAG_CREATE | OFLAG_TRUNCATE, RIGHT_FD_WRITE | RIGHT_FD_SEEK | RIGHT_FD_TELL);
}

/** Writes all bytes to a descriptor; ends the unit as failed where the host refuses. */
export function writeAll(fd: i32, pointer: usize, bytes: i32): void {
  const vector = heap.alloc(12);
  let written = 0;
  while (written < bytes) {
    store<usize>(vector, pointer + written);
    store<i32>(vector, bytes - written, 4);
    if (fd_write(fd, vector, 1, vector + 8) != ERRNO_SUCCESS) fail("cannot write output");
    written += load<i32>(vector, 8);
  }
  heap.free(vector);
}

/** Opens an absolute path relative to the preopened directory with the longest matching name. */
function openPath(path: string, oflags: i32, rights: u64): i32 {
  const prestat = heap.alloc(8);
  let directory = -1;
  let longest = -1;
  for (let fd = FIRST_PREOPEN_FD; fd_prestat_get(fd, prestat) == ERRNO_SUCCESS; fd++) {
    const nameBytes = load<i32>(prestat, 4);
    const pointer = heap.alloc(nameBytes);
    fd_prestat_dir_name(fd, pointer, nameBytes);
    let name = String.UTF8.decodeUnsafe(pointer, nameBytes, true);
    if (!name.endsWith("/")) name += "/";
    if (path.startsWith(name) && name.length > longest) {
      directory = fd;
      longest = name.length;
    }
  }
  if (directory < 0) fail("no directory of the sandbox holds " + path);
  const relative = String.UTF8.encode(path.substring(longest));
  const opened = path_open(
    directory, 0, changetype<usize>(relative), relative.byteLength, oflags, rights, 0, 0, prestat,
  );
  if (opened != ERRNO_SUCCESS) fail("cannot open " + path + " (errno " + opened.toString() + ")");
  return load<i32>(prestat);
}
