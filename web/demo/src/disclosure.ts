// A button that opens and closes a panel over the page. Escape and a press elsewhere close it; Escape gives the focus back.

export interface Disclosure {
  readonly isOpen: boolean;
  open(): void;
  close(): void;
}

export function disclosure(button: HTMLButtonElement, panel: HTMLElement, opened: () => void = () => undefined): Disclosure {
  const show = (open: boolean): void => {
    panel.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) opened();
  };
  const made: Disclosure = {
    get isOpen() {
      return button.getAttribute("aria-expanded") === "true";
    },
    open: () => show(true),
    close: () => show(false),
  };
  button.addEventListener("click", () => show(!made.isOpen));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !made.isOpen) return;
    if (panel.contains(document.activeElement)) button.focus();
    show(false);
  });
  document.addEventListener("pointerdown", ({ target }) => {
    const isInside = target instanceof Node && (panel.contains(target) || button.contains(target));
    if (made.isOpen && !isInside) show(false);
  });
  return made;
}
