import { useEffect, type RefObject } from 'react';

/** What a key that is held down, or pressed again, would set off. */
const CONTROLS = 'a, button, input, select, summary, textarea';

/** An element's place among those of the element around it. */
interface Place {
  readonly around: Element;
  readonly index: number;
}

/**
 * The keyboard and the screen reader stay where they were when what they were at goes: a button that asks whether one is
 * sure, a form that was sent, a line that was taken from a list. What stands in its place is told then; without that they
 * would begin anew at the top of the page.
 */
export function useKeptFocus(root: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const within = root.current;
    if (!within) return undefined;
    let focused: Element | null = null;
    let places: readonly Place[] = [];
    const remember = ({ target }: FocusEvent): void => {
      focused = target instanceof Element ? target : null;
      places = placesOf(focused, within);
    };
    const forget = ({ target }: FocusEvent): void => {
      // Some browsers say this of what is being removed, too: it is not left, it goes.
      queueMicrotask(() => {
        if (target === focused && focused?.isConnected) focused = null;
      });
    };
    const watching = new MutationObserver(() => {
      if (!focused || focused.isConnected) return;
      focused = null;
      if (document.activeElement === document.body) focusOn(heirOf(places));
    });
    within.addEventListener('focusin', remember);
    within.addEventListener('focusout', forget);
    watching.observe(within, { childList: true, subtree: true });
    return () => {
      watching.disconnect();
      within.removeEventListener('focusin', remember);
      within.removeEventListener('focusout', forget);
    };
  }, [root]);
}

/** From the element's own place outwards to the one in `root`. */
function placesOf(element: Element | null, root: Element): Place[] {
  const places: Place[] = [];
  for (let at = element; at && at !== root && at.parentElement; at = at.parentElement) {
    places.push({ around: at.parentElement, index: [...at.parentElement.children].indexOf(at) });
  }
  return places;
}

function heirOf(places: readonly Place[]): Element | null {
  const place = places.find(({ around }) => around.isConnected);
  const instead = place?.around.children[place.index] ?? null;
  return instead && !instead.matches(CONTROLS) ? instead : (place?.around ?? null);
}

function focusOn(heir: Element | null): void {
  if (!(heir instanceof HTMLElement)) return;
  if (!heir.hasAttribute('tabindex')) {
    heir.tabIndex = -1;
    heir.addEventListener('blur', () => heir.removeAttribute('tabindex'), { once: true });
  }
  heir.focus({ preventScroll: true });
}
