/** Named bounds on everything that crosses the wire. Servers enforce them; clients check them before sending. */
export const LIMITS = {
  /** Tasks that one call to POST /v1/work may request, and results that it may report. */
  tasksPerCall: 64,
  /** Result outputs up to this size travel and stay inside the task's row. */
  rowOutputBytes: 2 * 1024,
  /** Result outputs up to this size travel inline in the report and are stored as a blob. */
  inlineOutputBytes: 64 * 1024,
  /** Kept tail of a failed unit's stderr. */
  stderrBytes: 4 * 1024,
  /** Largest output that a unit may produce, all its outputs together. */
  unitOutputBytes: 256 * 1024 * 1024,
  outputsPerUnit: 16,
  inputsPerJob: 64,
  argsPerJob: 64,
  argBytes: 4 * 1024,
  envPerJob: 64,
  /** Characters of all arguments of a job, and of all its variables: each answer that hands out its tasks carries them. */
  argsLength: 32 * 1024,
  splitsPerJob: 8,
  gridValuesPerList: 100_000,
  unitsPerJob: 100_000_000,
  nameLength: 80,
  descriptionLength: 10_000,
  moduleBytes: 64 * 1024 * 1024,
  blobBytes: 64 * 1024 * 1024 * 1024,
  memoryMiB: 4096,
  maxCycles: 10n ** 18n,
  quorum: 16,
  tasksPerUnit: 64,
  taskDeadlineMs: 30 * 24 * 3600 * 1000,
  hostTasksInProgress: 1024,
  pageSize: 200,
  /** A JSON request body (reports carry inline outputs). */
  bodyBytes: 8 * 1024 * 1024,
  idempotencyKeyLength: 200,
  passwordMinLength: 8,
  passwordLength: 128,
  teamDescriptionLength: 2_000,
  reasonLength: 500,
  /** What a host says of its own state. */
  hostReasonLength: 200,
} as const;

/** Version of the wire protocol. A coordinator answers `agent-too-old` to agents below its minimum. */
export const PROTOCOL_VERSION = 1;

/** The oldest version that a coordinator of this release still speaks. */
export const MIN_PROTOCOL_VERSION = 1;
