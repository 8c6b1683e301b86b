import { execFile } from 'node:child_process';

const MAX_OUTPUT_BYTES = 256 * 1024;

/** Runs a program and resolves with its stdout. Rejects when it is absent, fails, says too much or is aborted. */
export type RunCommand = (program: string, args: readonly string[], signal: AbortSignal) => Promise<string>;

export const runCommand: RunCommand = (program, args, signal) =>
  new Promise((resolve, reject) => {
    execFile(
      program,
      [...args],
      { signal, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true, env: { ...process.env, LC_ALL: 'C' } },
      (error, stdout) => {
        if (error) reject(new Error(`${program} failed`, { cause: error }));
        else resolve(stdout);
      },
    );
  });
