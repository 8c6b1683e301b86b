/** The first Node that has everything the agent uses: `using`, zstd, the permission model, SQLite. */
export const MIN_NODE_MAJOR = 24;

export function nodeMajor(): number {
  return Number(process.versions.node.split('.')[0]);
}
