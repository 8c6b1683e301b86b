import { stat } from 'node:fs/promises';
import { type Blob, formatBytes } from '@gleaner/protocol';
import { CliError } from '../cli-error.js';
import { note } from '../terminal/output.js';
import { ProgressBar } from '../terminal/progress-bar.js';
import type { ApiClient } from './api-client.js';
import { GOES_ON, uploadBlob } from './upload-blob.js';

/** What takes longer to read than one waits without a word. */
const LONG_TO_READ_BYTES = 256 * 1024 * 1024;

/**
 * Uploads a file, with its progress on stderr.
 *
 * @throws {CliError} with the file's name, where it is refused or nobody answers
 */
export async function uploadWithBar(
  api: ApiClient,
  path: string,
  label: string,
  signal: AbortSignal,
): Promise<Blob> {
  const { size } = await stat(path);
  let bar = new ProgressBar({ label: `Reading ${label}`, total: size, format: formatBytes });
  try {
    return await uploadBlob(api, path, {
      onRead: (bytes) => {
        if (size >= LONG_TO_READ_BYTES) bar.update(bytes);
      },
      onBegin: (sent) => {
        bar.end();
        bar = new ProgressBar({ label, total: size, format: formatBytes });
        bar.startAt(sent);
      },
      onProgress: (sent, total) => {
        bar.update(sent, total);
      },
      onStopped: (sent) => {
        bar.aside(() => {
          note(`${formatBytes(sent)} of ${label} are sent: ${GOES_ON}`);
        });
      },
      signal,
    });
  } catch (error) {
    // It may be one of several.
    if (error instanceof CliError)
      throw new CliError(`${label}: ${error.message}`, error.exitCode, { cause: error });
    throw error;
  } finally {
    bar.end();
  }
}
