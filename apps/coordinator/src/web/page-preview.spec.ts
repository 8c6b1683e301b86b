import { expect, it } from 'vitest';
import { withPreview } from './page-preview.js';

const PAGE =
  '<head><meta name="description" content="of all" /><title>Gleaner</title><script src="/a.js"></script></head>';

it('stands in place of what the page says of all pages', () => {
  const page = withPreview(PAGE, { title: 'One night', description: 'A job.\n\nOf a tape.' });
  expect(page).toContain('<title>One night · Gleaner</title>');
  expect(page).toContain('<meta property="og:title" content="One night" />');
  expect(page.match(/A job\. Of a tape\./g)).toHaveLength(2);
  expect(page).not.toContain('of all');
  expect(page.match(/<title>/g)).toHaveLength(1);
  expect(page).toContain('<script src="/a.js"></script></head>');
});

it('is text, whatever people have written', () => {
  const page = withPreview(PAGE, { title: '</title><script>$&', description: '"><img src=x> $1' });
  expect(page).toContain('<title>&lt;/title&gt;&lt;script&gt;$&amp; · Gleaner</title>');
  expect(page).toContain('content="&quot;&gt;&lt;img src=x&gt; $1"');
});

it('is short', () => {
  const page = withPreview(PAGE, { title: 'x', description: '🌌'.repeat(10_000) });
  expect(page).toContain(`content="${'🌌'.repeat(199)}…"`);
});
