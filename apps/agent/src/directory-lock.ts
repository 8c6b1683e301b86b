import { DatabaseSync } from 'node:sqlite';
import { AgentError, EXIT } from './exit-codes.js';

/**
 * Makes sure that one agent uses a data directory.
 *
 * SQLite's file lock belongs to the process and disappears with it, however it ends, on every system; a file with a
 * process id would outlive a crash, and Node has no `flock` of its own.
 */
export class DirectoryLock implements Disposable {
  private constructor(private readonly database: DatabaseSync) {}

  /** @throws {AgentError} when another process holds it */
  static acquire(path: string, directory: string): DirectoryLock {
    const lock = DirectoryLock.tryAcquire(path);
    if (lock) return lock;
    throw new AgentError(
      `another agent already uses ${directory}: stop it, or give this one its own directory with --data`,
      EXIT.alreadyRunning,
    );
  }

  static tryAcquire(path: string): DirectoryLock | undefined {
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
