// Runs before the page is painted, so that it never flashes in the other theme. src/theme.ts changes it afterwards.
(() => {
  let stored = null;
  try {
    stored = localStorage.getItem("bellwire.theme");
  } catch {
    // Storage may be forbidden; the system's theme will do.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = stored === "light" || stored === "dark" ? stored : dark ? "dark" : "light";
})();
