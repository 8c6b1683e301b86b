import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTime } from '../queue/index.js';
import type { PagePreview } from '../web/index.js';
import { SHOWN } from './public-jobs.service.js';
import { SharedAnswers } from './shared-answers.js';

const PAGE_OF_ONE = /^\/(jobs|teams)\/([1-9]\d{0,17})\/?$/;
const LEADERBOARDS: PagePreview = {
  title: 'Leaderboards',
  description:
    'Who has given most computing time to science: people, machines and teams, by the cycles that others confirmed.',
};

/** What was hidden is told no longer than so. */
const FRESHNESS_MS = 2_000;
const CACHED_PREVIEWS = 500;
/** The page is worth more than what is said of it. */
const WITHIN_MS = 500;
/** Whoever asks for one page after the other keeps no more connections than that. */
const LOOKING_MAX = 2;

const found = z.array(z.object({ title: z.string(), of: z.string(), description: z.string() }));

const QUERIES: Readonly<Record<string, string>> = {
  jobs: `SELECT j.name AS title, 'A job of ' || p.name || ', computed by volunteers. ' AS of, p.description
           FROM job j JOIN project p ON p.id = j.project_id WHERE ${SHOWN} AND j.id = $1`,
  teams: `SELECT name AS title, 'A team of volunteers. ' AS of, description FROM team WHERE id = $1`,
};

/** What links to pages of the site say to those who run no scripts. Only of what everybody may see. */
@Injectable()
export class PagePreviews {
  private readonly previews = new SharedAnswers<PagePreview | null>(CACHED_PREVIEWS, FRESHNESS_MS);
  private looking = 0;

  constructor(private readonly dataSource: DataSource) {}

  /** @returns null where there is nothing for everybody to see, or where that cannot be found out at once */
  async of(path: string): Promise<PagePreview | null> {
    if (path === '/leaderboards') return LEADERBOARDS;
    const [, kind, id] = PAGE_OF_ONE.exec(path) ?? [];
    if (kind === undefined || id === undefined) return null;
    return await inTime(
      this.previews.get(`${kind} ${id}`, () => this.look(kind, id)),
      WITHIN_MS,
      null,
    );
  }

  private async look(kind: string, id: string): Promise<PagePreview | null> {
    if (this.looking >= LOOKING_MAX) return null;
    this.looking += 1;
    try {
      const [row] = found.parse(await this.dataSource.query(QUERIES[kind] ?? '', [id]));
      return row ? { title: row.title, description: row.of + row.description } : null;
    } finally {
      this.looking -= 1;
    }
  }
}
