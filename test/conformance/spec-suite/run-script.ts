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
  /** Assertions outside the profile, by the rule that excludes them. */
  readonly excluded: Map<string, number>;
}

/** A module that the profile refuses, or that depends on such a one. */
class Excluded extends Error {
  constructor(readonly rule: string) {
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
  readonly report: ScriptReport = { passed: 0, failures: [], nanPayloads: 0, excluded: new Map() };
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
      case 'assert_invalid':
      case 'assert_malformed':
        if (command.module_type === 'text') throw new Excluded('text-format');
        return admitModule(this.#read(command.filename), this.options).admitted
          ? `admitted in spite of: ${command.text}`
          : null;
      case 'assert_unlinkable':
      case 'assert_uninstantiable':
        return this.#expectNoInstance(command.filename, command.type === 'assert_unlinkable', command.text);
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
      if (error instanceof WebAssembly.RuntimeError) return byLinking ? `trap instead of: ${text}` : null;
      throw error;
    }
  }

  #subject(name: string | undefined): TestInstance {
    const subject =
      name === undefined ? this.#current : (this.#named.get(name) ?? new Excluded('excluded-module'));
    if (subject instanceof Excluded) throw subject;
    const excluded = this.#excludedLater.get(subject);
    if (excluded !== undefined) throw excluded;
    return subject;
  }

  #read(filename: string): Uint8Array {
    return readFileSync(join(this.directory, filename));
  }

  /** A module that was excluded would have changed the memories, tables and globals of those that it imports from. */
  #excludeNeighbours(bytes: Uint8Array, rule: string): void {
    if (!WebAssembly.validate(bytes as BufferSource)) return;
    for (const { module } of WebAssembly.Module.imports(new WebAssembly.Module(bytes as BufferSource))) {
      const neighbour = this.#registered.get(module);
      if (neighbour !== undefined) this.#excludedLater.set(neighbour, new Excluded(rule));
    }
  }

  /** Throws LinkError, or RuntimeError when a segment or the start function traps. */
  #load(filename: string): Subject {
    const bytes = this.#read(filename);
    const admission = admitModule(bytes, this.options);
    if (!admission.admitted) {
      const rule = admission.errors[0]?.rule ?? 'refused';
      this.#excludeNeighbours(bytes, rule);
      return new Excluded(rule);
    }
    const module = new WebAssembly.Module(admission.module as BufferSource);
    const instance = new TestInstance(new WebAssembly.Instance(module, this.#imports).exports);
    instance.start();
    return instance;
  }
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
