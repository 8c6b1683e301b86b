import { describe, expect, it } from 'vitest';
import { coordinatorUrl } from './coordinator-url.js';

describe('the address of a coordinator', () => {
  it.each([
    ['https://gleaner.example', 'https://gleaner.example/'],
    ['HTTPS://Gleaner.Example:443/', 'https://gleaner.example/'],
    ['http://localhost:8400/?', 'http://localhost:8400/'],
    ['http://localhost:8400/#', 'http://localhost:8400/'],
  ])('%s is %s', (text, href) => {
    expect(coordinatorUrl(text).href).toBe(href);
  });

  it.each(['/v1', '/v1/', '//', '/?a', '/#jobs', '/index.html'])('ends before %s', (rest) => {
    expect(() => coordinatorUrl(`http://localhost:8400${rest}`)).toThrow(
      'ends after host and port: write http://localhost:8400',
    );
  });

  it('holds nobody’s name and password', () => {
    expect(() => coordinatorUrl('https://ada:secret@gleaner.example')).toThrow(
      'write https://gleaner.example',
    );
  });

  it.each(['gleaner', 'localhost:8400', 'ftp://gleaner.example', ''])('is not "%s"', (text) => {
    expect(() => coordinatorUrl(text)).toThrow('is not the address of a coordinator');
  });
});
