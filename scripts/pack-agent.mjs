// Packs the volunteer's agent as one tarball that `npm install --global` takes without this repository and without a
// registry: everything that it imports is in it. Prints the tarball's path.
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = {
  gleaner: 'apps/agent/src/gleaner.ts',
  // The sandbox is a process of its own, started from the file beside the one that starts it.
  'node-child': 'libs/sandbox/src/runner/node-child.ts',
  // The swarm's node likewise, and libp2p with it.
  'swarm-child': 'libs/swarm/src/process/swarm-child.ts',
};

/** V8 keeps a source in which a single character is beyond Latin-1 at two bytes each: megabytes, for a few dashes. */
const asciiOnly = {
  name: 'ascii-only',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'chunk') chunk.code = chunk.code.replace(/\P{ASCII}/gu, escapesOf);
    }
  },
};

function escapesOf(character) {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

const destination = resolve(readDirectory() ?? '.');
const { version, license } = JSON.parse(await readFile(join(root, 'apps/agent/package.json'), 'utf8'));
const staging = await mkdtemp(join(tmpdir(), 'gleaner-pack-'));
try {
  await bundle(join(staging, 'dist'));
  await writeFile(join(staging, 'package.json'), JSON.stringify(manifest(), null, 2));
  await copyFile(join(root, 'LICENSE'), join(staging, 'LICENSE'));
  await copyFile(join(root, 'docs/agent.md'), join(staging, 'README.md'));
  await mkdir(destination, { recursive: true });
  const packed = spawnSync('npm', ['pack', '--pack-destination', destination, '--loglevel', 'error'], {
    cwd: staging,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (packed.status !== 0) throw new Error(`npm pack failed: ${packed.stderr}`);
  process.stdout.write(`${join(destination, packed.stdout.trim().split('\n').at(-1))}\n`);
} finally {
  await rm(staging, { recursive: true, force: true });
}

/** What is misspelt must not become a directory's name. */
function readDirectory() {
  const usage =
    'npm run pack:agent -- [DIRECTORY]\nPacks the agent into DIRECTORY, or else here, and prints the path.';
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { help: { type: 'boolean', default: false } },
    });
    if (positionals.length > 1) throw new Error(`One directory, not ${positionals.length}.`);
    if (!values.help) return positionals[0];
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
  console.log(usage);
  process.exit(0);
}

function manifest() {
  return {
    name: 'gleaner-agent',
    version,
    description: 'Computes for science while this machine is idle',
    license,
    type: 'module',
    bin: { gleaner: './dist/gleaner.js' },
    files: ['dist'],
    engines: { node: '>=24' },
  };
}

async function bundle(outDir) {
  const conditions = ['gleaner-source', 'node', 'module', 'import', 'default'];
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [asciiOnly],
    ssr: { noExternal: true, resolve: { conditions } },
    resolve: { conditions },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: true,
      target: 'node24',
      minify: false,
      rolldownOptions: {
        input: Object.fromEntries(Object.entries(sources).map(([name, path]) => [name, join(root, path)])),
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  });
}
