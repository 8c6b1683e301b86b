/** For tests: a program that starts a sandbox process in the given state, tells its pid, and waits to be killed. */
import { SandboxProcess } from '../runner/sandbox-process.js';
import { admittedText, aUnit } from './units.js';

const ENDLESS = `(module (import "gleaner" "progress" (func $progress (param i32))) (memory 1)
  (func (export "_start") (call $progress (i32.const 1)) (loop $again (br $again))))`;

const state = process.argv[2];
const sandbox = await SandboxProcess.start();
if (state === 'idle') {
  tell();
} else {
  const unit = aUnit(admittedText(ENDLESS), { limits: { maxCycles: 10n ** 18n } });
  void sandbox.run(unit, {
    onProgress: () => {
      if (state === 'paused') sandbox.pause();
      tell();
    },
  });
}
setInterval(() => {}, 1000);

function tell(): void {
  console.log(sandbox.pid);
}
