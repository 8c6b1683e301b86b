// Before anything is painted: whoever prefers the dark sees no flash of white. src/ui/theme.ts does the rest.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem('gleaner.theme');
  } catch {
    // A browser that keeps nothing refuses even to look.
  }
  const preferred = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = chosen === 'dark' || chosen === 'light' ? chosen : preferred;
}
