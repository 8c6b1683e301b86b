/** The JSON that wabt's `wast2json` writes for a script of the specification's test suite. */
export interface Script {
  readonly source_filename: string;
  readonly commands: readonly Command[];
}

/** A value: bits as a decimal string, `nan:canonical`, `nan:arithmetic`, `null`, or a reference's number. */
export interface ScalarValue {
  readonly type: 'i32' | 'i64' | 'f32' | 'f64' | 'externref' | 'funcref';
  readonly value?: string;
}

export interface VectorValue {
  readonly type: 'v128';
  readonly lane_type: 'i8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64';
  readonly value: readonly string[];
}

export type Value = ScalarValue | VectorValue;

export interface Action {
  readonly type: 'invoke' | 'get';
  readonly module?: string;
  readonly field: string;
  readonly args?: readonly Value[];
}

interface Line {
  readonly line: number;
}

export type Command =
  | (Line & { readonly type: 'module'; readonly name?: string; readonly filename: string })
  | (Line & { readonly type: 'register'; readonly name?: string; readonly as: string })
  | (Line & {
      readonly type: 'action' | 'assert_return';
      readonly action: Action;
      readonly expected: readonly Value[];
    })
  | (Line & {
      readonly type: 'assert_trap' | 'assert_exhaustion';
      readonly action: Action;
      readonly text: string;
      readonly expected: readonly Value[];
    })
  /** An exception leaves the module, which takes instructions that the profile refuses. */
  | (Line & { readonly type: 'assert_exception'; readonly action: Action })
  | (Line & {
      readonly type: 'assert_invalid' | 'assert_malformed' | 'assert_unlinkable' | 'assert_uninstantiable';
      readonly filename: string;
      readonly text: string;
      readonly module_type: 'binary' | 'text';
    });
