/** Saves a file; the session's cookie goes with it, so that large ones need not pass through the page. */
export function Download({ path, name }: { readonly path: string; readonly name: string }) {
  return (
    <a
      href={path}
      download={name}
      aria-label={`Download ${name}`}
      className="inline-flex min-h-11 items-center rounded-lg border border-line px-3.5 text-sm font-semibold whitespace-nowrap no-underline hover:border-accent"
    >
      Download
    </a>
  );
}
