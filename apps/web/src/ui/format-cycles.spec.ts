import { describe, expect, it } from 'vitest';
import { aboutCoreHours, formatCoreHours, formatCycles, groupDigits } from './format-cycles';

describe('cycles', () => {
  it.each([
    ['0', '0'],
    ['999', '999'],
    ['1000', '1.00 k'],
    ['152300000000', '152 G'],
    ['1523000000000', '1.52 T'],
    // Rounding up would say 1000 G.
    ['999999999999', '999 G'],
    ['123456789012345678901234567890', '123 R'],
    ['340282366920938463463374607431768211457', '340282366 Q'],
  ])('%s read as %s', (cycles, text) => {
    expect(formatCycles(cycles)).toBe(text);
  });

  it('are core-hours of a core with ten thousand million cycles a second', () => {
    expect(formatCoreHours('0')).toBe('0');
    expect(formatCoreHours('36000000000')).toBe('< 0.01');
    expect(formatCoreHours('54000000000000')).toBe('1.50');
    expect(formatCoreHours('360000000000000000')).toBe('10,000');
  });

  it('are told in a sentence without a sign that only tables have', () => {
    expect(aboutCoreHours('36000000000')).toBe('less than 0.01 core-hours');
    expect(aboutCoreHours('54000000000000')).toBe('about 1.50 core-hours');
  });

  it('keep every digit when told exactly', () => {
    expect(groupDigits('1234567')).toBe('1,234,567');
    expect(groupDigits('12')).toBe('12');
  });
});
