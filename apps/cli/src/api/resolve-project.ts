import { project as projectSchema } from '@gleaner/protocol';
import { CliError, EXIT } from '../cli-error.js';
import type { ApiClient } from './api-client.js';

/** The project that a command means: the named one, GLEANER_PROJECT, or the only one that the token can see. */
export async function resolveProject(api: ApiClient, named: string | undefined): Promise<string> {
  const slug = named ?? process.env['GLEANER_PROJECT'];
  if (slug !== undefined) return slug;
  const projects = await api.list('/v1/projects', projectSchema, 10);
  const [only] = projects;
  if (only && projects.length === 1) return only.slug;
  const known = projects.map((project) => project.slug).join(', ');
  throw new CliError(
    `Which project? Give --project SLUG or GLEANER_PROJECT (${known || 'there is none yet'})`,
    EXIT.usage,
  );
}
