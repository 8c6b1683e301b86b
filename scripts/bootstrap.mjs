// Brings a checkout to the state in which its programs can run: dependencies, Node 24, compiled sources, example apps.
// Runs on the system's own Node (20 or newer) before anything is installed, so it uses nothing but Node itself.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nodeModules = join(root, 'node_modules');
const installStampFile = join(nodeModules, '.gleaner-install');
const lockDirectory = join(root, '.gleaner', 'bootstrap.lock');
const lockWaitMs = 500;
const installToldMs = 15_000;
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const bundledNode = join(nodeModules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const oldestNodeMajor = 20;

/** Environment for the project's programs: its own Node and tools come first, npm's private variables do not leak. */
export function programEnvironment() {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')),
  );
  const path = env.PATH ?? '';
  env.PATH = [dirname(bundledNode), join(nodeModules, '.bin'), path].join(delimiter);
  return env;
}

export async function bootstrap() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < oldestNodeMajor) {
    fail(`Gleaner needs Node.js ${oldestNodeMajor} or newer to start; this is ${process.version}.`);
  }
  await withLock(async () => {
    await installDependencies();
    await run(bundledNode, [join(nodeModules, 'typescript', 'bin', 'tsc'), '-b'], 'compile the sources');
    const exampleBuild = join(root, 'examples', 'build.mjs');
    if (existsSync(exampleBuild)) await run(bundledNode, [exampleBuild], 'build the example apps');
    const webBuild = join(root, 'apps', 'web', 'build.mjs');
    if (existsSync(webBuild)) await run(bundledNode, [webBuild], 'build the website');
  });
  return bundledNode;
}

async function installDependencies() {
  const stamp = installStamp();
  if (existsSync(bundledNode) && readIfPresent(installStampFile) === stamp) return;
  const npmCli = process.env.npm_execpath;
  if (!npmCli) fail('Start this through npm, for example: npm run demo');
  console.error('gleaner: installing dependencies (once; about a minute) …');
  const startedAtMs = Date.now();
  // At a terminal npm shows that it is at work; elsewhere a minute without a word would look like the end.
  const told = setInterval(() => {
    if (!process.stderr.isTTY) {
      console.error(`gleaner: still installing, for ${Math.round((Date.now() - startedAtMs) / 1000)} s …`);
    }
  }, installToldMs);
  // Warnings are about the Node that only installs: the programs run on the one that is installed.
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  await run(process.execPath, [npmCli, ...args], 'install the dependencies');
  clearInterval(told);
  if (!existsSync(bundledNode)) {
    fail(
      'The dependency "node" was installed without its binary: allow its install script and run npm ci again.',
    );
  }
  writeFileSync(installStampFile, stamp);
}

/** Changes whenever what npm would install changes. */
function installStamp() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  const workspaceFolders = ['.', 'migrations', 'worker-sdk', 'test'];
  for (const parent of ['apps', 'libs', 'examples']) {
    for (const entry of readdirSync(join(root, parent)).sort()) {
      if (statSync(join(root, parent, entry)).isDirectory()) workspaceFolders.push(join(parent, entry));
    }
  }
  const files = ['package-lock.json', ...workspaceFolders.map((folder) => join(folder, 'package.json'))];
  for (const file of files) hash.update(`${file}\n${readIfPresent(join(root, file)) ?? ''}\n`);
  return hash.digest('hex');
}

/** Two commands started at once must not install or compile into each other. The lock of a dead process is taken over. */
async function withLock(work) {
  mkdirSync(dirname(lockDirectory), { recursive: true });
  let told = false;
  for (;;) {
    try {
      mkdirSync(lockDirectory);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(readIfPresent(join(lockDirectory, 'pid')) ?? 0);
    const ageMs = Date.now() - (statSync(lockDirectory, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (owner > 0 ? !isAlive(owner) : ageMs > 10_000) {
      rmSync(lockDirectory, { recursive: true, force: true });
      continue;
    }
    if (!told)
      console.error(`gleaner: waiting for process ${owner || '?'}, which is preparing this checkout …`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, lockWaitMs));
  }
  const release = () => rmSync(lockDirectory, { recursive: true, force: true });
  process.once('exit', release);
  try {
    writeFileSync(join(lockDirectory, 'pid'), String(process.pid));
    await work();
  } finally {
    release();
    process.off('exit', release);
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function run(command, args, purpose) {
  return new Promise((resolve) => {
    // Its output goes to stderr: a program's stdout is data for whoever reads it.
    const child = spawn(command, args, { cwd: root, env: programEnvironment(), stdio: ['ignore', 2, 2] });
    // Left behind, it would go on in the same directory beside the next command's.
    let endedBy;
    const end = (signal) => {
      endedBy = signal;
      child.kill(signal);
    };
    for (const signal of endingSignals) process.on(signal, end);
    child.on('error', (error) => fail(`Cannot ${purpose}: ${error.message}`));
    child.on('exit', (code, signal) => {
      for (const each of endingSignals) process.off(each, end);
      if (endedBy) process.exit(128 + constants.signals[endedBy]);
      if (code === 0) resolve();
      else fail(`Could not ${purpose} (${signal ?? `exit code ${code}`}); the lines above say why.`);
    });
  });
}

function readIfPresent(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(`gleaner: ${message}`);
  process.exit(1);
}

// Called by npm after any install, so that a developer's own `npm install` is not repeated by the next command.
if (process.argv[2] === '--stamp' && existsSync(bundledNode)) writeFileSync(installStampFile, installStamp());
