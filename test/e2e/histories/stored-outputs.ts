import { BlobsService } from '@gleaner/coordinator';
import { sha256 } from '../../support/index.js';
import type { World } from './world.js';

interface OutputRow {
  readonly unit_id: string;
  readonly name: string;
  readonly sha256: string;
}

/** A week after everything, what valid units need is still there, byte by byte. */
export async function checkStoredOutputs(world: World): Promise<void> {
  const blobs = world.aCoordinator().app.get(BlobsService);
  await world.query("UPDATE blob SET unreferenced_since = unreferenced_since - interval '8 days'");
  while ((await blobs.sweepUnreferenced()) > 0);
  const outputs = await world.query<OutputRow>(
    `SELECT u.id AS unit_id, o.output->>'name' AS name, o.output->>'sha256' AS sha256
       FROM work_unit u JOIN task t ON t.unit_id = u.id AND t.ordinal = u.canonical_ordinal,
            jsonb_array_elements(t.outputs) AS o(output)
      WHERE u.state = 'valid' AND NOT o.output ? 'base64' AND (o.output->>'size')::bigint > 0`,
  );
  for (const output of outputs) {
    const found = await digestOf(blobs, output.sha256);
    if (found !== output.sha256)
      world.fault(`output "${output.name}" of unit ${output.unit_id} is stored as ${found}`);
  }
}

async function digestOf(blobs: BlobsService, name: string): Promise<string> {
  try {
    const content = await blobs.openContent(name);
    return sha256(Buffer.concat(await content.toArray()));
  } catch (error) {
    return String(error);
  }
}
