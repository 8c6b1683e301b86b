// Where the site's program does not come (a proxy answers 502, or the page is older than the site), there would be nothing to see.
{
  const FIRST_MS = 5_000;
  const LONGEST_MS = 300_000;
  /** Where the browser keeps nothing for a page, it cannot be known how often this was tried. */
  const UNCOUNTED_MS = 30_000;
  /** Loads in vain, one after the other. */
  const IN_VAIN = 'gleaner.loads-in-vain';

  const nextMs = () => {
    try {
      const inVain = Number(sessionStorage.getItem(IN_VAIN));
      sessionStorage.setItem(IN_VAIN, String(inVain + 1));
      return Math.min(FIRST_MS * 2 ** inVain, LONGEST_MS);
    } catch {
      return UNCOUNTED_MS;
    }
  };
  const countAnew = () => {
    try {
      sessionStorage.removeItem(IN_VAIN);
    } catch {
      // Nothing was counted either.
    }
  };
  const isProgram = (target) => target instanceof HTMLScriptElement && target.type === 'module';

  // Whether a file comes is told to its element alone, on the way to it.
  const onTheWay = { capture: true };
  // No window is told of an element's load.
  document.addEventListener('load', ({ target }) => void (isProgram(target) && countAnew()), onTheWay);
  document.addEventListener(
    'error',
    ({ target }) => {
      if (!isProgram(target)) return;
      const waitMs = nextMs();
      const said = document.querySelector('#root > p');
      if (said) {
        const seconds = Math.round(waitMs / 1000);
        said.textContent = `Gleaner did not load. It is tried again in ${seconds} seconds.`;
      }
      setTimeout(() => location.reload(), waitMs);
    },
    onTheWay,
  );
}
