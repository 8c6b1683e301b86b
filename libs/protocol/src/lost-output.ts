/** What of Node's `process` this needs; this library runs in browsers as well. */
interface WritingProgram {
  exitCode?: number | string | null | undefined;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream & { write(text: string): unknown };
  once(event: 'exit', listener: () => void): unknown;
}

interface OutputStream {
  on(event: 'error', listener: (error: Error & { readonly code?: string | undefined }) => void): unknown;
}

/**
 * Lets a program outlive whoever reads what it writes: without listeners Node would end it with a stack. That a reader has
 * seen enough (`| head -1`) is unremarkable. That an answer could not be written, as on a full disk, is told once, and the
 * program does not end with 0, whatever else it comes to.
 *
 * @param name of the program, at the beginning of the sentence on stderr
 */
export function tellLostOutput(program: WritingProgram, name: string): void {
  let isTold = false;
  program.stdout.on('error', ({ code, message }) => {
    if (code === 'EPIPE' || isTold) return;
    isTold = true;
    program.stderr.write(`${name}: Cannot write to stdout: ${message}\n`);
    program.once('exit', () => {
      program.exitCode ||= 1;
    });
  });
  program.stderr.on('error', () => undefined);
}
