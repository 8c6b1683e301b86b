import { type AdmissionOptions, admitModule } from '../admission/index.js';
import { bytesOfText } from './text-module.js';

/** For tests: a module that the profile admits, plus what matters; imports come first in the text format. */
export function anApp(fields: string, entry = '(func (export "_start"))'): Uint8Array {
  const [, imports = '', others = ''] =
    /^((?:\s*\(import "\w+" "\w+" \([^()]*(?:\([^()]*\))*\)\))*)([^]*)$/.exec(fields) ?? [];
  return bytesOfText(`(module ${imports} (memory 1) ${entry} ${others})`);
}

/** For tests: a stepping app, plus what matters. */
export function aSteppingApp(fields: string): Uint8Array {
  return anApp(fields, '(func (export "gleaner_step") (result i32) (i32.const 0))');
}

/** For tests: the admission of a module; fails where it is refused. */
export function rewritten(bytes: Uint8Array, options?: AdmissionOptions) {
  const admission = admitModule(bytes, options);
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  return admission;
}
