/** What of Node's `process` this needs. */
interface WritingProgram {
  exitCode?: number | string | null | undefined;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream & { write(text: string): unknown };
  once(event: 'exit', listener: () => void): unknown;
}

interface OutputStream {
  on(event: 'error', listener: (error: Error & { readonly code?: string | undefined }) => void): unknown;
}

interface LostStdoutOptions {
  /** Whether somebody asked for what is written, so that losing it is a failure; true when left out. */
  readonly isAnswer?: boolean;
}

/**
 * Lets a program outlive whoever reads what it writes: without listeners Node would end it with a stack. That a reader has
 * seen enough (`| head -1`) is unremarkable. That something could not be written, as on a full disk, is told once; where it
 * was an answer, the program does not end with 0, whatever else it comes to.
 *
 * @param name of the program, at the beginning of the sentence on stderr
 */
export function tellLostStdout(
  program: WritingProgram,
  name: string,
  { isAnswer = true }: LostStdoutOptions = {},
): void {
  let isTold = false;
  program.stdout.on('error', ({ code, message }) => {
    if (code === 'EPIPE' || isTold) return;
    isTold = true;
    program.stderr.write(`${name}: Cannot write to stdout: ${message}\n`);
    if (!isAnswer) return;
    program.once('exit', () => {
      program.exitCode ||= 1;
    });
  });
  program.stderr.on('error', () => undefined);
}
