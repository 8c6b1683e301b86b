type Search = Readonly<Record<string, unknown>>;

/** Everything in an address is text: the router's own reading would make a number of the name `123`. The last of a kind counts. */
export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

/** What {@link parseSearch} reads back as text; other values than text and numbers are left out. */
export function stringifySearch(search: Search): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string' || typeof value === 'number') params.set(name, String(value));
  }
  return params.size === 0 ? '' : `?${params}`;
}
