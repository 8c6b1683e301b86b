/** What the passes need to know of a module; bodies and data stay where they are, as byte ranges of `bytes`. */
export interface WasmModule {
  readonly bytes: Uint8Array;
  readonly types: FunctionType[];
  readonly imports: Import[];
  /** Type index of every function, imported ones first. */
  readonly functionTypes: number[];
  importedFunctions: number;
  readonly tables: Table[];
  readonly memories: Memory[];
  readonly globals: Global[];
  readonly exports: Export[];
  start: { readonly functionIndex: number; readonly offset: number } | null;
  /** Functions that element segments or global initialisers take a reference to. */
  readonly referencedFunctions: Set<number>;
  elementSegments: number;
  dataSegments: number;
  readonly bodies: Body[];
  /** Contents of the known sections by id. */
  readonly sections: Map<number, ByteRange>;
  /** Declarations of locals, of all bodies. */
  localGroups: number;
  /** Names of custom sections, which the rewriter drops. */
  readonly customSections: string[];
}

/** Half-open range of byte offsets. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export const EXTERNAL_KINDS = ['function', 'table', 'memory', 'global'] as const;
export type ExternalKind = (typeof EXTERNAL_KINDS)[number];

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** Index in its own index space. */
  readonly index: number;
  readonly offset: number;
}

interface Export {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
  readonly offset: number;
}

export interface Limits {
  readonly min: number;
  readonly max: number | null;
}

interface Table extends Limits {
  readonly type: number;
  readonly imported: boolean;
  readonly offset: number;
}

interface Memory extends Limits {
  readonly imported: boolean;
  readonly offset: number;
}

interface Global {
  readonly type: number;
  readonly mutable: boolean;
  readonly imported: boolean;
  readonly offset: number;
  /** The initialiser's instructions; empty for an import. */
  readonly initialiser: ByteRange;
}

export interface Body extends ByteRange {
  /** Declared locals as (count, type) pairs, parameters excluded. */
  readonly locals: ReadonlyArray<{ readonly count: number; readonly type: number }>;
  /** Where the first instruction stands. */
  readonly code: number;
}

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

export function emptyModule(bytes: Uint8Array): WasmModule {
  return {
    bytes,
    types: [],
    imports: [],
    functionTypes: [],
    importedFunctions: 0,
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: null,
    referencedFunctions: new Set(),
    elementSegments: 0,
    dataSegments: 0,
    bodies: [],
    localGroups: 0,
    sections: new Map(),
    customSections: [],
  };
}
