// Builds the site into dist/site when anything it is made of has changed; otherwise takes a few hundredths of a second.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const folder = import.meta.dirname;
const root = join(folder, '..', '..');
const site = join(folder, 'dist', 'site');
const stampFile = join(folder, 'dist', 'site.stamp');
const sources = [
  'apps/web/src',
  'apps/web/public',
  'apps/web/index.html',
  'apps/web/vite.config.ts',
  'apps/web/build.mjs',
  'libs/client/src',
  'libs/domain/src',
  'libs/protocol/src',
  'libs/sandbox/src',
  'worker-sdk/src',
  'package-lock.json',
];
const compressible = /\.(js|css|html|svg|json)$/;
/** Below this a compressed answer saves no packet. */
const compressedFromBytes = 1024;

const stamp = stampOfSources();
if (!existsSync(join(site, 'index.html')) || readIfPresent(stampFile) !== stamp) {
  // A test runner's NODE_ENV would have React's development build made.
  process.env['NODE_ENV'] = 'production';
  const { build } = await import('vite');
  // Of this process: two of them may find at the same moment that something has changed.
  const next = join(folder, 'dist', `site-next-${process.pid}`);
  await build({
    root: folder,
    configFile: join(folder, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: next },
  });
  compressFiles(next);
  replaceSite(next);
  writeFileSync(stampFile, stamp);
}

/** A coordinator that serves the old site misses its files for a moment, not for the length of a build. */
function replaceSite(next) {
  const old = `${site}-old-${process.pid}`;
  rename(site, old);
  rename(next, site);
  for (const folder of [old, next]) rmSync(folder, { recursive: true, force: true });
}

/** Unless another build was faster, whose site is the same. */
function rename(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
  }
}

function stampOfSources() {
  const hash = createHash('sha256');
  for (const source of sources) addToHash(hash, source);
  return hash.digest('hex');
}

function addToHash(hash, path) {
  const file = join(root, path);
  const entries = path.includes('.') ? null : readdirSync(file, { withFileTypes: true });
  if (entries === null) {
    hash.update(`${path}\n`).update(readFileSync(file));
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isDirectory()) addToHash(hash, `${path}/${entry.name}`);
    else if (!/\.(spec|itest)\.tsx?$/.test(entry.name)) {
      hash.update(`${path}/${entry.name}\n`).update(readFileSync(join(file, entry.name)));
    }
  }
}

function compressFiles(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !compressible.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const bytes = readFileSync(file);
    if (bytes.length < compressedFromBytes) continue;
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
    writeFileSync(
      `${file}.br`,
      brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }),
    );
  }
}

function readIfPresent(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
