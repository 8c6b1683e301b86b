import { markup } from './api-page/html.js';

/** What a link to a page says of it where nobody runs its scripts: in messages, on other sites, to search engines. */
export interface PagePreview {
  readonly title: string;
  readonly description: string;
}

const SITE = 'Gleaner';
/** What is shown of it anywhere. */
const DESCRIPTION_LENGTH = 200;
const TITLE = /<title>[^<]*<\/title>/;
const DESCRIPTION = /<meta name="description"[^>]*>\s*/;

/** The site's page with this title and description in place of its own; scripts give the title that it has here. */
export function withPreview(page: string, { title, description }: PagePreview): string {
  const said = shorten(description);
  const head = markup`<title>${title} · ${SITE}</title>
    <meta name="description" content="${said}" />
    <meta property="og:type" content="website" />
    <meta property="og:site_name" content="${SITE}" />
    <meta property="og:title" content="${title}" />
    <meta property="og:description" content="${said}" />`;
  // Functions: what people write may hold what replacements give a meaning to.
  return page.replace(DESCRIPTION, () => '').replace(TITLE, () => head.text);
}

/** One line of so many characters. */
function shorten(text: string): string {
  const characters = Array.from(text.replaceAll(/\s+/g, ' ').trim());
  return characters.length <= DESCRIPTION_LENGTH
    ? characters.join('')
    : `${characters.slice(0, DESCRIPTION_LENGTH - 1).join('')}…`;
}
