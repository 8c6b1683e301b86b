import { Link } from '@tanstack/react-router';
import { Fragment, useState, type ButtonHTMLAttributes, type ReactNode } from 'react';
import { useTitle } from './use-title';

// Where the system chooses the colours, its border is all that is left of its shape.
const PRIMARY =
  'inline-flex min-h-11 cursor-pointer items-center justify-center gap-2 rounded-lg border border-transparent bg-grain px-5 py-2.5 font-semibold text-on-grain no-underline transition hover:brightness-105 active:translate-y-px aria-disabled:cursor-default aria-disabled:opacity-60';
const QUIET =
  'inline-flex min-h-11 cursor-pointer items-center justify-center gap-2 rounded-lg border border-line bg-panel px-5 py-2.5 font-semibold text-ink no-underline transition hover:border-accent active:translate-y-px aria-disabled:cursor-default aria-disabled:opacity-60';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'primary' | 'quiet';
}

/** A disabled one does nothing, and keeps the focus: the keyboard goes on from it, and what comes of it can be heard. */
export function Button({
  look = 'primary',
  className = '',
  disabled = false,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={`${look === 'primary' ? PRIMARY : QUIET} ${className}`}
      aria-disabled={disabled}
      onClick={(event) => {
        // Enter in a form's field clicks its button, too.
        if (disabled) event.preventDefault();
        else onClick?.(event);
      }}
      {...rest}
    />
  );
}

/** At the end of a list of which there is more. */
export function MoreButton({
  isLoading,
  onMore,
  children,
}: {
  readonly isLoading: boolean;
  readonly onMore: () => void;
  readonly children: ReactNode;
}) {
  return (
    <Button look="quiet" className="mt-4" disabled={isLoading} onClick={onMore}>
      {isLoading ? 'Loading …' : children}
    </Button>
  );
}

export function ButtonLink({
  look = 'primary',
  to,
  children,
}: {
  readonly look?: 'primary' | 'quiet';
  readonly to: '/' | '/volunteer';
  readonly children: ReactNode;
}) {
  return (
    <Link to={to} className={look === 'primary' ? PRIMARY : QUIET}>
      {children}
    </Link>
  );
}

export function Panel({
  children,
  className = '',
}: {
  readonly children: ReactNode;
  readonly className?: string;
}) {
  return (
    <section className={`rounded-2xl border border-line bg-panel p-5 sm:p-6 ${className}`}>
      {children}
    </section>
  );
}

/** What a page is called: in its heading, and in the browser's tab. */
export function PageTitle({ children, lead }: { readonly children: string; readonly lead?: ReactNode }) {
  useTitle(children);
  return (
    <header className="mb-8 max-w-3xl">
      <h1 className="text-4xl leading-tight sm:text-5xl [overflow-wrap:anywhere]">
        <bdi>{children}</bdi>
      </h1>
      {lead !== undefined && <p className="mt-3 text-lg text-muted [overflow-wrap:anywhere]">{lead}</p>}
    </header>
  );
}

/** A bar from 0 to 1000. */
export function Progress({ permille, label }: { readonly permille: number; readonly label: string }) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(permille / 10)}
      // Its colours are what it tells.
      className="h-2 overflow-hidden rounded-full bg-sunken ring-1 ring-line forced-color-adjust-none"
    >
      <div
        className="h-full rounded-full bg-grain transition-[width] duration-700"
        style={{ width: `${permille / 10}%` }}
      />
    </div>
  );
}

/** Lines to type into a terminal, with a button that copies them. */
export function Commands({ lines, label }: { readonly lines: readonly string[]; readonly label: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = (): void => {
    // Absent on plain http: the lines can still be selected by hand.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    void clipboard?.writeText(lines.join('\n')).then(() => setCopied(true));
  };
  return (
    <div className="min-w-0 overflow-hidden rounded-xl border border-line bg-sunken">
      <pre
        tabIndex={0}
        aria-label={label}
        className="overflow-x-auto p-4 font-mono text-sm leading-7 text-ink"
      >
        {lines.map((line) => (
          <code key={line} className="block pl-5 -indent-5 whitespace-pre-wrap [overflow-wrap:anywhere]">
            <span aria-hidden="true" className="mr-2 text-accent select-none">
              $
            </span>
            {line.split(' ').map((word, index) => (
              // Breaking inside of words, as after the dashes of an option, would mislead.
              // oxlint-disable-next-line react/no-array-index-key -- a line's words never move
              <Fragment key={index}>
                {index > 0 && ' '}
                <span className="inline-block max-w-full indent-0">{word}</span>
              </Fragment>
            ))}
          </code>
        ))}
      </pre>
      {'clipboard' in navigator && (
        <div className="border-t border-line bg-panel px-2 py-1 text-right">
          <button
            type="button"
            onClick={copy}
            className="cursor-pointer rounded-md px-2.5 py-1.5 text-xs font-semibold text-muted hover:text-ink"
          >
            {isCopied ? 'Copied' : lines.length === 1 ? 'Copy the line' : `Copy the ${lines.length} lines`}
          </button>
        </div>
      )}
    </div>
  );
}

/** Said while nothing is there yet, with what can be done about it. */
export function Empty({ children }: { readonly children: ReactNode }) {
  return (
    <p className="rounded-xl border border-dashed border-line px-5 py-8 text-center text-muted">{children}</p>
  );
}
