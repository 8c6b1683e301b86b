import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's young generation at its first size. It would grow to 48 MB for programs that make garbage fast; the agent makes
 * little, and a volunteer's memory is not its to keep. To be called before much is loaded.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
