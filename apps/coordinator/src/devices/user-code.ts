import { randomInt } from 'node:crypto';

/** Letters that spell no words and are not mistaken for each other (RFC 8628, section 6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const HALF = 4;

/** A code for people to type: 34 bits, which live for minutes and are guessed only with a token. */
export function drawUserCode(): string {
  const letters = Array.from({ length: 2 * HALF }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `${letters.slice(0, HALF)}-${letters.slice(HALF)}`;
}

/** The code as it was drawn, however it was typed. */
export function normaliseUserCode(typed: string): string {
  const letters = typed.toUpperCase().replaceAll(/[^A-Z]/g, '');
  return `${letters.slice(0, HALF)}-${letters.slice(HALF)}`;
}
