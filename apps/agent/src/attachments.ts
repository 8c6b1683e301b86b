import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import type { DataDirectory } from './data-directory.js';
import { AgentError, EXIT } from './exit-codes.js';

/** The file that says to which coordinators this machine belongs. */
export const ATTACHMENTS_NAME = 'attachment.json';
/** Weight of a project that nobody gave another one. */
export const DEFAULT_WEIGHT = 100;
export const MAX_WEIGHT = 1_000_000;
/** Projects that one machine may compute for. */
const MAX_PROJECTS = 32;

const membership = {
  coordinator: z.url(),
  coordinatorName: z.string(),
  hostId: z.string(),
  accountId: z.string(),
  anonymous: z.boolean(),
  token: z.string(),
  /** Whether the volunteer agreed to exchange data with other volunteers. */
  p2p: z.boolean().default(false),
  attachedAt: z.iso.datetime(),
};

/** Before several coordinators could share a machine. */
const firstFormat = z.strictObject({ v: z.literal(1), ...membership });

const attachment = z.strictObject({
  ...membership,
  /** Share of the cores, in relation to the other projects' weights. */
  weight: z.number().int().min(1).max(MAX_WEIGHT),
  /** Where the project's tasks, results and inputs are, below the agent's directory. */
  directory: z.string().regex(/^(\.|projects\/[0-9a-f]{16})$/),
});
const state = z.strictObject({ v: z.literal(2), projects: z.array(attachment).max(MAX_PROJECTS) });

/** A coordinator that this machine belongs to, and the token that lets it work there. */
export type Attachment = z.infer<typeof attachment>;

/**
 * All attachments, none where there is no file; what an older agent wrote is understood.
 *
 * @throws {AgentError} when the state cannot be understood
 */
export async function readAttachments(directory: DataDirectory): Promise<Attachment[]> {
  const path = directory.file(ATTACHMENTS_NAME);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new AgentError(`cannot read ${path}: ${String(error)}`, EXIT.failure, { cause: error });
  }
  try {
    const kept = z.union([state, firstFormat]).parse(JSON.parse(text));
    if (kept.v === 2) return kept.projects;
    const { v: _, ...only } = kept;
    return [{ ...only, weight: DEFAULT_WEIGHT, directory: '.' }];
  } catch (error) {
    throw new DamagedAttachmentsError(
      `${path} is damaged: attach again with "gleaner agent attach URL"; finished work in ${directory.path} is kept`,
      EXIT.notAttached,
      { cause: error },
    );
  }
}

/** The file is there and says nothing that can be understood as a whole. */
export class DamagedAttachmentsError extends AgentError {}

/**
 * Puts a damaged file aside, for whoever knows how to mend it.
 *
 * @returns where it is now, and the attachments in it that can be understood
 */
export async function salvageAttachments(
  directory: DataDirectory,
): Promise<{ readonly path: string; readonly projects: Attachment[] }> {
  const path = directory.file(`${ATTACHMENTS_NAME}.damaged`);
  await rename(directory.file(ATTACHMENTS_NAME), path);
  return { path, projects: legible(await readFile(path, 'utf8')) };
}

function legible(text: string): Attachment[] {
  try {
    const { projects } = z
      .object({ projects: z.array(z.unknown()).max(MAX_PROJECTS) })
      .parse(JSON.parse(text));
    return projects.flatMap((project) => attachment.safeParse(project).data ?? []);
  } catch {
    return [];
  }
}

/** When they were changed last, in milliseconds since the epoch; null where there are none. */
export function attachmentsChangedAtMs(directory: DataDirectory): number | null {
  return statSync(directory.file(ATTACHMENTS_NAME), { throwIfNoEntry: false })?.mtimeMs ?? null;
}

/** Replaces all attachments; the last one to go takes the file with it. */
export async function writeAttachments(
  directory: DataDirectory,
  projects: readonly Attachment[],
): Promise<void> {
  if (projects.length > MAX_PROJECTS) {
    throw new AgentError(`one machine computes for at most ${MAX_PROJECTS} projects`, EXIT.usage);
  }
  if (projects.length === 0) await rm(directory.file(ATTACHMENTS_NAME), { force: true });
  else await directory.writeWhole(ATTACHMENTS_NAME, JSON.stringify({ v: 2, projects }, null, 2));
}

/** The first project lives in the agent's directory itself, as the only one always did; further ones below it. */
export function directoryFor(coordinator: URL, others: readonly Attachment[]): string {
  if (!others.some(({ directory }) => directory === '.')) return '.';
  return `projects/${createHash('sha256').update(coordinator.href).digest('hex').slice(0, 16)}`;
}

/** The attachment to this coordinator; addresses are the same when they lead to the same place. */
export function findAttachment(all: readonly Attachment[], coordinator: URL): Attachment | undefined {
  // Older agents kept whatever address they were given.
  return all.find((one) => new URL(one.coordinator).origin === coordinator.origin);
}

/**
 * All attachments of an agent that has to have one.
 *
 * @throws {AgentError} when there is none
 */
export async function requireAttachments(directory: DataDirectory): Promise<Attachment[]> {
  const all = await readAttachments(directory);
  if (all.length > 0) return all;
  throw new AgentError(
    `${directory.path} is not attached to a coordinator: "gleaner agent attach URL" first`,
    EXIT.notAttached,
  );
}
