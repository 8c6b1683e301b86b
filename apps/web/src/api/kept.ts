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

/** Where this browser keeps what is to outlast the page. */
export function kept(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  try {
    // Looking is enough to be refused.
    return localStorage;
  } catch {
    return forgetful;
  }
}
