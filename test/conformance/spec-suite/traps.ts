/** The suite's words for a trap, and what V8 says. Where V8 has one message for two causes, both accept it. */
const MESSAGES: ReadonlyArray<readonly [suite: RegExp, engine: RegExp]> = [
  [/^integer divide by zero/, /divide by zero|remainder by zero/],
  [/^integer overflow/, /unrepresentable/],
  [/^invalid conversion to integer/, /unrepresentable/],
  [/^out of bounds memory access/, /memory access out of bounds|data segment .*out of bounds/],
  [
    /^out of bounds table access/,
    /table index is out of bounds|table (access )?out of bounds|element segment|array element/,
  ],
  [
    /^(undefined element|uninitialized element)/,
    /table index is out of bounds|null function|signature mismatch/,
  ],
  [/^indirect call type mismatch/, /signature mismatch/],
  [/^unreachable/, /unreachable/],
  [/^call stack exhausted/, /call stack|stack size/],
];

/** Whether the engine's message tells the trap that the script expects; texts unknown here accept any trap. */
export function isExpectedTrap(suiteText: string, engineMessage: string): boolean {
  const known = MESSAGES.find(([suite]) => suite.test(suiteText));
  return known === undefined || known[1].test(engineMessage);
}
