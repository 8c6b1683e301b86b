/** A reason why a module is refused. `offset` is the byte offset in the uploaded module, null where none applies. */
export interface AdmissionError {
  /** Stable kebab-case name of the rule, such as `unknown-opcode` or `float-import`. */
  readonly rule: string;
  readonly offset: number | null;
  /** One sentence for the app's author. */
  readonly message: string;
}

export interface AdmissionReport {
  readonly runtimeVersion: string;
  readonly originalBytes: number;
  readonly rewrittenBytes: number;
  /** Exports `gleaner_step` rather than `_start`. */
  readonly stepping: boolean;
  /** `module.name`, sorted. */
  readonly imports: readonly string[];
  /** WebAssembly features beyond 1.0 that the module uses, sorted. */
  readonly features: readonly string[];
  readonly warnings: readonly string[];
  readonly functions: number;
  /** Bytes of virtual stack of the deepest call chain, null where calls can recurse. */
  readonly staticStackBytes: number | null;
  /** Pages of 64 KiB that the memory starts with, and its own maximum; the task's limit must allow the first. */
  readonly memoryPages: { readonly initial: number; readonly maximum: number | null };
}

export type Admission =
  | { readonly admitted: true; readonly module: Uint8Array; readonly report: AdmissionReport }
  | { readonly admitted: false; readonly errors: readonly AdmissionError[] };
