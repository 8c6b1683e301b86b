/** A byte sequence that is not a module of the profile: the rule, where, and a sentence for the app's author. */
export class ModuleFault extends Error {
  override readonly name = 'ModuleFault';

  /** Kebab-case name of the rule. */
  readonly rule: string;
  /** Byte offset in the module, null where none applies. */
  readonly offset: number | null;

  constructor(rule: string, offset: number | null, message: string) {
    super(message);
    this.rule = rule;
    this.offset = offset;
  }
}
