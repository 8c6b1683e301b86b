import { existsSync, truncateSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { DataDirectory } from './data-directory.js';
import { AgentError, EXIT } from './exit-codes.js';

/**
 * Makes sure that one agent uses a data directory.
 *
 * SQLite's file lock belongs to the process and disappears with it, however it ends, on every system; a file with a
 * process id would outlive a crash, and Node has no `flock` of its own.
 */
export class DirectoryLock implements Disposable {
  private constructor(private readonly database: DatabaseSync) {}

  /**
   * The lock of whoever computes in a directory.
   *
   * @throws {AgentError} when another process holds it
   */
  static acquire(directory: DataDirectory): DirectoryLock {
    return (
      DirectoryLock.#take(directory.file('agent.lock'), PATIENCE_MS) ??
      refuse(
        `another agent already uses ${directory.path}: stop it, or give this one its own directory with --data`,
      )
    );
  }

  /** {@link acquire}, or undefined when another process holds it. */
  static tryAcquire(directory: DataDirectory): DirectoryLock | undefined {
    return DirectoryLock.#take(directory.file('agent.lock'), 0);
  }

  /** Whether somebody computes in a directory; looking is in nobody's way, and leaves no file. */
  static isHeld(directory: DataDirectory): boolean {
    const path = directory.file('agent.lock');
    if (!existsSync(path)) return false;
    try {
      const database = new DatabaseSync(path, { readOnly: true });
      try {
        database.exec('PRAGMA busy_timeout = 0; SELECT count(*) FROM sqlite_master');
      } finally {
        database.close();
      }
      return false;
    } catch (error) {
      if (errorCodeOf(error) === SQLITE_BUSY) return true;
      if (errorCodeOf(error) === SQLITE_NOTADB) return false;
      throw unusable(path, error);
    }
  }

  /**
   * The lock of whoever changes to which coordinators a directory belongs; an agent may compute meanwhile.
   *
   * @throws {AgentError} when another process holds it
   */
  static acquireAttachments(directory: DataDirectory): DirectoryLock {
    return (
      DirectoryLock.#take(directory.file('attach.lock'), PATIENCE_MS) ??
      refuse(
        `another attach or detach is at work in ${directory.path}, or waits for its code to be approved: let it end, or stop it`,
      )
    );
  }

  static #take(path: string, patienceMs: number): DirectoryLock | undefined {
    try {
      return DirectoryLock.#openMended(path, patienceMs);
    } catch (error) {
      // Also of a damaged file: another process has mended it at the same moment.
      if (errorCodeOf(error) === SQLITE_BUSY) return undefined;
      throw unusable(path, error);
    }
  }

  static #openMended(path: string, patienceMs: number): DirectoryLock {
    try {
      return DirectoryLock.#open(path, patienceMs);
    } catch (error) {
      if (errorCodeOf(error) !== SQLITE_NOTADB) throw error;
    }
    // Nothing is ever written there: whatever a failing disk has left is nobody's, and the file itself stays where it is.
    truncateSync(path);
    return DirectoryLock.#open(path, patienceMs);
  }

  static #open(path: string, patienceMs: number): DirectoryLock {
    const database = new DatabaseSync(path);
    try {
      database.exec(`PRAGMA busy_timeout = ${patienceMs}; BEGIN EXCLUSIVE`);
      return new DirectoryLock(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.database.isOpen) this.database.close();
  }
}

/** Who only looks whether somebody is there, such as `status`, is gone after a moment. */
const PATIENCE_MS = 500;
const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

function errorCodeOf(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error ? error.errcode : undefined;
}

function unusable(path: string, cause: unknown): AgentError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AgentError(
    `${path} cannot be opened (${reason}): is the directory yours, and may you write there?`,
    EXIT.failure,
    { cause },
  );
}

function refuse(message: string): never {
  throw new AgentError(message, EXIT.alreadyRunning);
}
