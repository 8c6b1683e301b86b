const memory = new Map<string, string>();

/** Of a browser that keeps nothing, as where its owner has it block what sites store: lasts as long as the page. */
const forgetful: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> = {
  getItem: (key) => memory.get(key) ?? null,
  setItem: (key, value) => {
    memory.set(key, value);
  },
  removeItem: (key) => {
    memory.delete(key);
  },
};

/** Of a browser that keeps things as long as there is room; what there was none for is remembered by the page. */
const lasting: typeof forgetful = {
  getItem: (key) => forgetful.getItem(key) ?? localStorage.getItem(key),
  setItem: (key, value) => {
    try {
      localStorage.setItem(key, value);
      forgetful.removeItem(key);
    } catch {
      forgetful.setItem(key, value);
    }
  },
  removeItem: (key) => {
    forgetful.removeItem(key);
    localStorage.removeItem(key);
  },
};

/** Where this browser keeps what is to outlast the page. */
export function kept(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  try {
    // Looking is enough to be refused.
    void localStorage;
    return lasting;
  } catch {
    return forgetful;
  }
}
