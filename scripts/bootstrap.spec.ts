import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const scripts = fileURLToPath(new URL('.', import.meta.url));
const installedNpm = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((directory) => join(directory, 'npm'))
  .find((path) => existsSync(path));
// npm starts its scripts with the path of its own program; these tests start without npm.
const npm = installedNpm === undefined ? '' : realpathSync(installedNpm);

/** A checkout that needs a Node of the future, as this one does for a system's Node that is old enough. */
let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'gleaner-bootstrap-'));
  cpSync(scripts, join(checkout, 'scripts'), { recursive: true });
  for (const folder of ['apps', 'libs', 'examples/future']) {
    mkdirSync(join(checkout, folder), { recursive: true });
  }
  const future = { name: 'future', version: '1.0.0', engines: { node: '>=999' } };
  const root = { name: 'checkout', version: '1.0.0', workspaces: ['examples/future'] };
  const packages = {
    '': root,
    'examples/future': future,
    'node_modules/future': { resolved: 'examples/future', link: true },
  };
  writeJson('package.json', root);
  writeJson('examples/future/package.json', future);
  writeJson('package-lock.json', { name: 'checkout', version: '1.0.0', lockfileVersion: 3, packages });
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function writeJson(path: string, value: unknown): void {
  writeFileSync(join(checkout, path), JSON.stringify(value));
}

/** What `npm run build` says in a fresh clone. */
function build(): string {
  const options = { encoding: 'utf8', env: { ...process.env, npm_execpath: npm } } as const;
  return spawnSync(process.execPath, [join(checkout, 'scripts/run.mjs'), 'build'], options).stderr;
}

describe('a fresh clone', () => {
  it('installs without a warning about the Node that only installs', () => {
    const said = build();
    expect(said).toContain('gleaner: installing dependencies');
    expect(said).not.toContain('EBADENGINE');
    // It is as far as that: the Node that everything else runs on is none of this checkout's packages.
    expect(said).toContain('The dependency "node" was installed without its binary');
  });

  it('shows why it could not be installed', () => {
    writeJson('examples/future/package.json', { name: 'future', version: '2.0.0', dependencies: { x: '1' } });
    const said = build();
    expect(said).toContain('npm error');
    expect(said).toContain('gleaner: Could not install the dependencies (exit code 1)');
  });
});
