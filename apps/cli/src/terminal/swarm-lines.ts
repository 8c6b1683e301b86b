import { formatBytes, type Job, type PublicJobView } from '@gleaner/protocol';

/** How widely a job's inputs are spread among volunteers, a line each, and what that spared the coordinator. */
export function swarmLines({ inputs, savedBytes }: PublicJobView['swarm'], spec: Job['spec']): string[] {
  const lines = Object.entries(spec.inputs).flatMap(([name, blobId]) => {
    const input = inputs.find((each) => each.blobId === blobId);
    if (!input || input.chunks === 0) return [];
    const { chunks, minCopies, averageCopies } = input;
    const held = `${averageCopies} copies of each chunk among volunteers, ${minCopies} of the rarest`;
    return [`  ${name}: ${chunks} ${chunks === 1 ? 'chunk' : 'chunks'}, on average ${held}`];
  });
  if (savedBytes > 0) lines.push(`  volunteers had ${formatBytes(savedBytes)} of inputs from each other`);
  return lines;
}
