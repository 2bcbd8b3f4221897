// Where a message is written: Enter sends, Shift+Enter breaks the line, and others learn that somebody is typing.

import { find } from "../dom.js";

const typingStopsMs = 4000;

export interface ComposerActions {
  send(text: string): void;
  typing(is: boolean): void;
}

export function startComposer(actions: ComposerActions): void {
  const form = find("chat-form", HTMLFormElement);
  const input = find("chat-input", HTMLTextAreaElement);
  let typing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const setTyping = (is: boolean): void => {
    clearTimeout(timer);
    if (is) timer = setTimeout(() => setTyping(false), typingStopsMs);
    if (is === typing) return;
    typing = is;
    actions.typing(is);
  };
  const fit = (): void => {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight + 2}px`;
  };

  input.addEventListener("input", () => {
    setTyping(input.value.trim() !== "");
    fit();
  });
  input.addEventListener("blur", () => setTyping(false));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === "") return;
    input.value = "";
    fit();
    setTyping(false);
    actions.send(text);
    input.focus();
  });
}
