/** Reads one thing about the machine. Null is "unknown": a probe that cannot read never fails. */
export interface Probe<T> {
  read(): T | null;
  /** Resolves when a first reading has been tried; probes that read at once leave it out. */
  ready?(): Promise<void>;
  close?(): void;
}

/** The file's text, undefined when it cannot be read: what a kernel does not offer is unknown, not an error. */
export type ReadText = (path: string) => string | undefined;
