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
      DirectoryLock.tryAcquire(directory) ??
      refuse(
        `another agent already uses ${directory.path}: stop it, or give this one its own directory with --data`,
      )
    );
  }

  /** {@link acquire}, or undefined when another process holds it. */
  static tryAcquire(directory: DataDirectory): DirectoryLock | undefined {
    return DirectoryLock.#take(directory.file('agent.lock'));
  }

  /**
   * The lock of whoever changes to which coordinators a directory belongs; an agent may compute meanwhile.
   *
   * @throws {AgentError} when another process holds it
   */
  static acquireAttachments(directory: DataDirectory): DirectoryLock {
    return (
      DirectoryLock.#take(directory.file('attach.lock')) ??
      refuse(
        `another attach or detach is at work in ${directory.path}, or waits for its code to be approved: let it end, or stop it`,
      )
    );
  }

  static #take(path: string): DirectoryLock | undefined {
    const database = new DatabaseSync(path);
    try {
      database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
      return new DirectoryLock(database);
    } catch (error) {
      database.close();
      if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.database.isOpen) this.database.close();
  }
}

const SQLITE_BUSY = 5;

function refuse(message: string): never {
  throw new AgentError(message, EXIT.alreadyRunning);
}
