import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AdmissionOptions, STOP, admitModule } from '@gleaner/sandbox/admission';
import type { Command, Script, Value } from './script.js';
import { TestInstance } from './test-instance.js';
import { isExpectedTrap } from './traps.js';

export interface ScriptReport {
  passed: number;
  readonly failures: Array<{ readonly line: number; readonly message: string }>;
  /** Results that are NaN as expected, with other bits. */
  nanPayloads: number;
  /** Modules refused as the script expects, though only by the profile: the engine would take them. */
  refusedByProfile: number;
  /** Assertions outside the profile, by the rule that excludes them. */
  readonly excluded: Map<string, number>;
}

/** A module that the profile refuses, or that depends on such a one. */
class Excluded extends Error {
  constructor(
    readonly rule: string,
    /** Modules that a call of this one could have changed. */
    readonly neighbours: readonly TestInstance[] = [],
  ) {
    super(`out of the profile: ${rule}`);
  }
}

type Subject = TestInstance | Excluded;

/** Runs the commands of one script against rewritten modules; `directory` holds the module files. */
export function runScript(script: Script, directory: string, options: AdmissionOptions): ScriptReport {
  const run = new ScriptRun(directory, options);
  for (const command of script.commands) run.perform(command);
  return run.report;
}

class ScriptRun {
  readonly report: ScriptReport = {
    passed: 0,
    failures: [],
    nanPayloads: 0,
    refusedByProfile: 0,
    excluded: new Map(),
  };
  readonly #named = new Map<string, Subject>();
  readonly #registered = new Map<string, TestInstance>();
  readonly #excludedLater = new Map<Subject, Excluded>();
  readonly #imports: WebAssembly.Imports = { spectest: spectest() };
  #current: Subject = new Excluded('no-module');

  constructor(
    private readonly directory: string,
    private readonly options: AdmissionOptions,
  ) {}

  perform(command: Command): void {
    const isAssertion = command.type.startsWith('assert_');
    try {
      const failure = this.#execute(command);
      if (failure !== null) this.report.failures.push({ line: command.line, message: failure });
      else if (isAssertion) this.report.passed++;
    } catch (error) {
      if (error instanceof Excluded) {
        if (isAssertion)
          this.report.excluded.set(error.rule, (this.report.excluded.get(error.rule) ?? 0) + 1);
        return;
      }
      this.report.failures.push({ line: command.line, message: `${command.type}: ${String(error)}` });
    }
  }

  /** Returns what went wrong, or null. */
  #execute(command: Command): string | null {
    switch (command.type) {
      case 'module':
        this.#current = this.#load(command.filename);
        if (command.name !== undefined) this.#named.set(command.name, this.#current);
        return null;
      case 'register': {
        const subject = command.name === undefined ? this.#current : this.#named.get(command.name);
        if (subject instanceof TestInstance) {
          this.#imports[command.as] = subject.exports;
          this.#registered.set(command.as, subject);
        }
        return null;
      }
      case 'action':
      case 'assert_return': {
        const outcome = this.#subject(command.action.module).perform(command.action, command.expected);
        if (outcome.trapped) return `trapped: ${outcome.message} (stop ${outcome.stop})`;
        if (command.type === 'action') return null;
        return this.#judge(outcome.compare(command.expected), command.expected);
      }
      case 'assert_trap':
      case 'assert_exhaustion': {
        const outcome = this.#subject(command.action.module).perform(command.action, command.expected);
        if (!outcome.trapped) return `returned instead of: ${command.text}`;
        if (command.type === 'assert_exhaustion') {
          return outcome.stop === STOP.stack
            ? null
            : `ended by the engine, not by the metered stack: ${outcome.message}`;
        }
        if (outcome.stop !== STOP.none)
          return `stopped for reason ${outcome.stop} instead of: ${command.text}`;
        return isExpectedTrap(command.text, outcome.message)
          ? null
          : `trapped with ${outcome.message} instead of ${command.text}`;
      }
      case 'assert_exception':
        // The module is refused, or else has nothing that could throw.
        this.#subject(command.action.module);
        return 'expects an exception of a module that was admitted';
      case 'assert_invalid':
      case 'assert_malformed': {
        if (command.module_type === 'text') throw new Excluded('text-format');
        const bytes = this.#read(command.filename);
        if (admitModule(bytes, this.options).admitted) return `admitted in spite of: ${command.text}`;
        if (WebAssembly.validate(bytes as BufferSource)) this.report.refusedByProfile++;
        return null;
      }
      case 'assert_unlinkable':
      case 'assert_uninstantiable':
        return this.#expectNoInstance(command.filename, command.type === 'assert_unlinkable', command.text);
      default:
        // wabt's JSON may know commands that this harness does not: never a silent pass.
        throw new Excluded('unknown-command');
    }
  }

  #judge(comparison: 'equal' | 'different' | 'nan-payload', expected: readonly Value[]): string | null {
    if (comparison === 'nan-payload') this.report.nanPayloads++;
    return comparison === 'different' ? `did not return ${JSON.stringify(expected)}` : null;
  }

  #expectNoInstance(filename: string, byLinking: boolean, text: string): string | null {
    try {
      const subject = this.#load(filename);
      if (subject instanceof Excluded) throw subject;
      return `instantiated in spite of: ${text}`;
    } catch (error) {
      if (error instanceof WebAssembly.LinkError) return byLinking ? null : `link error instead of: ${text}`;
      // Since WebAssembly 2.0 a segment that does not fit traps; the suite of 1.0 calls it unlinkable.
      if (error instanceof WebAssembly.RuntimeError)
        return byLinking && !/does not fit/.test(text) ? `trap instead of: ${text}` : null;
      throw error;
    }
  }

  #subject(name: string | undefined): TestInstance {
    const subject =
      name === undefined ? this.#current : (this.#named.get(name) ?? new Excluded('excluded-module'));
    if (subject instanceof Excluded) {
      for (const neighbour of subject.neighbours) this.#excludedLater.set(neighbour, subject);
      throw subject;
    }
    const excluded = this.#excludedLater.get(subject);
    if (excluded !== undefined) throw excluded;
    return subject;
  }

  #read(filename: string): Uint8Array {
    return readFileSync(join(this.directory, filename));
  }

  /**
   * What a refused module would have changed counts no longer: at once the modules whose memory, table or variable it
   * shares, or whose functions it calls from its start; later those whose functions it calls when it is called.
   */
  #excluded(bytes: Uint8Array, rule: string): Excluded {
    const callable: TestInstance[] = [];
    if (WebAssembly.validate(bytes as BufferSource)) {
      const hasStart = hasStartSection(bytes);
      for (const { module, kind } of WebAssembly.Module.imports(
        new WebAssembly.Module(bytes as BufferSource),
      )) {
        const neighbour = this.#registered.get(module);
        if (neighbour === undefined) continue;
        if (kind !== 'function' || hasStart)
          this.#excludedLater.set(neighbour, new Excluded(`${rule} (neighbour)`));
        else callable.push(neighbour);
      }
    }
    return new Excluded(rule, callable);
  }

  /** Throws LinkError, or RuntimeError when a segment or the start function traps. */
  #load(filename: string): Subject {
    const bytes = this.#read(filename);
    const admission = admitModule(bytes, this.options);
    if (!admission.admitted) {
      return this.#excluded(bytes, admission.errors[0]?.rule ?? 'refused');
    }
    const module = new WebAssembly.Module(admission.module as BufferSource);
    // Registered by a module that was refused, or that wabt could not read.
    if (WebAssembly.Module.imports(module).some(({ module: from }) => !Object.hasOwn(this.#imports, from)))
      return new Excluded('import-of-excluded-module');
    const instance = new TestInstance(new WebAssembly.Instance(module, this.#imports).exports);
    instance.start();
    return instance;
  }
}

const START_SECTION = 8;
const HEADER_BYTES = 8;

function hasStartSection(bytes: Uint8Array): boolean {
  for (let at = HEADER_BYTES; at < bytes.length;) {
    if (bytes[at] === START_SECTION) return true;
    let size = 0;
    let shift = 0;
    let byte;
    do {
      byte = bytes[++at] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte >= 0x80);
    at += 1 + size;
  }
  return false;
}

/** The host module that the specification's interpreter provides. */
function spectest(): WebAssembly.ModuleImports {
  const global = (value: WebAssembly.ValueType, content: number | bigint) =>
    new WebAssembly.Global({ value, mutable: false }, content);
  const ignore = () => {};
  return {
    print: ignore,
    print_i32: ignore,
    print_i64: ignore,
    print_f32: ignore,
    print_f64: ignore,
    print_i32_f32: ignore,
    print_f64_f64: ignore,
    global_i32: global('i32', 666),
    global_i64: global('i64', 666n),
    global_f32: global('f32', 666.6),
    global_f64: global('f64', 666.6),
    table: new WebAssembly.Table({ element: 'anyfunc', initial: 10, maximum: 20 }),
    memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }),
  };
}
