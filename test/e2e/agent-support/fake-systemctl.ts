import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Does with a user unit what systemd would, and remembers what it was told. */
const SCRIPT = `#!/bin/sh
echo "$*" >> "$0.calls"
if [ -e "$0.refusal" ]; then cat "$0.refusal" >&2; exit 1; fi
for unit; do :; done
units="$HOME/.config/systemd/user"
case "$2" in
enable)
  mkdir -p "$units/default.target.wants"
  ln -sf "$units/$unit" "$units/default.target.wants/$unit"
  # A unit gets nothing of the environment that it was installed from.
  line=$(sed -n 's/^ExecStart=//p' "$units/$unit")
  eval "exec env -i HOME=\\"\\$HOME\\" PATH=/usr/bin:/bin $line" < /dev/null > /dev/null 2>&1 &
  echo $! > "$0.pid"
  ;;
disable)
  rm -f "$units/default.target.wants/$unit"
  pid=$(cat "$0.pid") && kill -TERM "$pid"
  # Who has ended may not have been waited for by anybody.
  while grep -q '^State:.[^ZX]' "/proc/$pid/status" 2> /dev/null; do sleep 0.1; done
  # The number may be somebody else's from now on.
  rm -f "$0.pid"
  ;;
esac
exit 0
`;

/** A `systemctl` for a PATH of the test's own. */
export class FakeSystemctl implements AsyncDisposable {
  private constructor(
    /** Directory that it is in. */
    readonly directory: string,
  ) {}

  static async into(directory: string): Promise<FakeSystemctl> {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'systemctl'), SCRIPT, { mode: 0o755 });
    return new FakeSystemctl(directory);
  }

  /** From now on it fails like this; empty: no more. */
  async refuse(sentence: string): Promise<void> {
    const path = this.#file('refusal');
    await (sentence === '' ? rm(path) : writeFile(path, `${sentence}\n`));
  }

  /** What it was told since it was asked last, a line each. */
  async takeCalls(): Promise<string[]> {
    const text = await readFile(this.#file('calls'), 'utf8').catch(() => '');
    await rm(this.#file('calls'), { force: true });
    return text.split('\n').slice(0, -1);
  }

  /** What it has started ends with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const pid = Number(await readFile(this.#file('pid'), 'utf8').catch(() => '0'));
    try {
      if (pid > 0) process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }

  #file(what: string): string {
    return join(this.directory, `systemctl.${what}`);
  }
}
