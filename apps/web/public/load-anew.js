// Where the site's program does not come (a proxy answers 502, or the page is older than the site), there would be nothing to see.
{
  const AGAIN_MS = 5_000;
  addEventListener(
    'error',
    ({ target }) => {
      if (!(target instanceof HTMLScriptElement) || target.type !== 'module') return;
      const said = document.querySelector('#root > p');
      if (said) said.textContent = 'Gleaner did not load. It is tried again in a moment.';
      setTimeout(() => location.reload(), AGAIN_MS);
    },
    // A file that does not come is told to its element alone, on the way to it.
    { capture: true },
  );
}
