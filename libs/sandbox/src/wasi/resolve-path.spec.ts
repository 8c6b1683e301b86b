import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileSystem } from './file-system.js';
import { ERRNO, FILETYPE } from './preview1.js';
import { resolvePath, type Place } from './resolve-path.js';
import { Volume } from './volume.js';

function aTree() {
  const files = new FileSystem(new Volume({ device: 1, writable: true, limitBytes: 10_000 }));
  const base = files.addDirectory(files.root, 'base');
  const inner = files.addDirectory(base, 'inner');
  files.addFile(files.root, 'secret');
  files.addFile(base, 'file');
  files.addFile(inner, 'deep');
  files.addSymlink(base, 'up', '../secret');
  files.addSymlink(base, 'absolute', '/secret');
  files.addSymlink(base, 'dangling', 'nowhere');
  files.addSymlink(base, 'self', 'self');
  files.addSymlink(inner, 'back', '../file');
  files.addSymlink(inner, 'upper', '../..');
  return { base, inner, files };
}

describe('resolvePath', () => {
  it.each([
    ['file', 'file'],
    ['./inner//deep', 'deep'],
    ['inner/../file', 'file'],
    ['inner/back', 'file'],
  ])('finds %s', (path, name) => {
    const { base } = aTree();
    const place = resolvePath(base, path, true);
    expect(place).toMatchObject({ name, node: { filetype: FILETYPE.regularFile } });
  });

  it.each([
    ['', ERRNO.noent],
    ['missing/x', ERRNO.noent],
    ['file/x', ERRNO.notdir],
    ['file/', ERRNO.notdir],
    ['..', ERRNO.notcapable],
    ['inner/../../secret', ERRNO.notcapable],
    ['/secret', ERRNO.notcapable],
    ['up', ERRNO.notcapable],
    ['absolute', ERRNO.notcapable],
    ['inner/upper/secret', ERRNO.notcapable],
    ['self', ERRNO.loop],
    ['a\0b', ERRNO.inval],
    ['x'.repeat(256), ERRNO.nametoolong],
    ['é'.repeat(128), ERRNO.nametoolong],
    ['x/'.repeat(3000), ERRNO.nametoolong],
  ])('refuses %j', (path, errno) => {
    expect(resolvePath(aTree().base, path, true)).toBe(errno);
  });

  it('does not follow a last link unless it is asked to', () => {
    const { base } = aTree();
    expect(resolvePath(base, 'up', false)).toMatchObject({ node: { filetype: FILETYPE.symbolicLink } });
    expect(resolvePath(base, 'dangling', true)).toMatchObject({ name: 'nowhere', node: null });
  });

  it('never leaves its base, whatever the path and the links', () => {
    const component = fc.constantFrom(
      '..',
      '.',
      '',
      'inner',
      'file',
      'up',
      'back',
      'upper',
      'l0',
      'l1',
      'secret',
    );
    const path = fc.array(component, { maxLength: 12 }).map((components) => components.join('/'));
    fc.assert(
      fc.property(path, path, path, fc.boolean(), (wanted, first, second, follow) => {
        const { base, inner, files } = aTree();
        files.addSymlink(base, 'l0', first);
        files.addSymlink(inner, 'l1', second);
        const place = resolvePath(base, wanted, follow);
        if (typeof place !== 'number') expect(isWithin(place, base)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

function isWithin({ parent }: Place, base: unknown): boolean {
  for (let here: Place['parent'] | null = parent; here !== null; here = here.parent)
    if (here === base) return true;
  return false;
}
