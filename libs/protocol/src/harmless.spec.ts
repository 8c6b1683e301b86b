import { expect, it } from 'vitest';
import { harmless } from './harmless.js';

it('what others wrote gives a terminal no orders', () => {
  expect(harmless('a\u001b[31mred\u0007, \u009b2J\rover\u0000')).toBe(
    'a\\x1b[31mred\\x07, \\x9b2J\\x0dover\\x00',
  );
  for (const text of ['two\nlines\tand a column', 'عالمة 🌾', '100 % é']) expect(harmless(text)).toBe(text);
});
