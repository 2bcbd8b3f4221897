// Storage that may be forbidden or full: then nothing is remembered, and nothing else changes.

export interface Store {
  get(key: string): string | null;
  set(key: string, value: string): void;
}

function guarded(storage: () => Storage): Store {
  return {
    get(key) {
      try {
        return storage().getItem("bellwire." + key);
      } catch {
        return null;
      }
    },
    set(key, value) {
      try {
        storage().setItem("bellwire." + key, value);
      } catch {
        // Nothing is remembered.
      }
    },
  };
}

/** Kept for this browser. */
export const browserStore = guarded(() => localStorage);

/** Kept for this tab alone. */
export const tabStore = guarded(() => sessionStorage);
