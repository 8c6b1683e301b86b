import { createHash } from 'node:crypto';
import { formatBytes } from '@gleaner/protocol';
import { AnswerFile } from '../answer-file.js';
import { CliError, EXIT } from '../cli-error.js';
import { note, writeBytes } from '../terminal/output.js';
import type { ApiClient } from './api-client.js';
import { type ContentOptions, resumedContent } from './resumed-content.js';

/** What was fetched. */
export interface Download {
  /** Null: stdout. */
  readonly file: string | null;
  readonly sizeBytes: number;
  /** Of the bytes that came, lower-case hexadecimal. */
  readonly sha256: string;
}

/**
 * Streams content into a file, which appears when it is whole, or to stdout. What has come of much before it broke off stays beside that
 * file, and is gone on with by the next command.
 *
 * @throws {CliError} when it cannot be written there, does not come to its end, or is not what the coordinator has
 */
export async function download(
  api: ApiClient,
  path: string,
  output: string | undefined,
  options: ContentOptions,
): Promise<Download> {
  const content = await resumedContent(api, path, options);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  await using file = output === undefined ? null : await AnswerFile.create(output, content.sha256);
  for await (const bytes of file?.left() ?? []) {
    hash.update(bytes);
    sizeBytes += bytes.length;
  }
  if (sizeBytes > 0) note(`Going on after ${formatBytes(sizeBytes)} that an earlier command fetched`);
  try {
    for await (const bytes of content.bytesFrom(sizeBytes)) {
      hash.update(bytes);
      sizeBytes += bytes.length;
      await (file ? file.write(bytes) : writeBytes(bytes));
    }
  } catch (error) {
    if (options.signal.aborted || (error instanceof CliError && error.exitCode === EXIT.unreachable)) {
      const kept = file?.keep();
      if (kept)
        note(`${formatBytes(kept.sizeBytes)} are in ${kept.path}: the same command goes on from there`);
    }
    throw error;
  }
  const sha256 = hash.digest('hex');
  const wanted = options.sha256 ?? content.sha256;
  if (wanted !== null && wanted !== sha256) {
    throw new CliError(
      `What came is not what the coordinator has (SHA-256 ${sha256}, not ${wanted}): fetch it again`,
      EXIT.failure,
    );
  }
  await file?.finish();
  if (output !== undefined) note(`Written to ${output}`);
  return { file: output ?? null, sizeBytes, sha256 };
}
