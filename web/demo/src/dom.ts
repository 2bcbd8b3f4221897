// The little that this page needs of the DOM. Text from people only ever becomes text nodes, never markup.

type Child = Node | string;

interface Properties {
  class?: string;
  attributes?: Record<string, string>;
  on?: Record<string, (event: Event) => void>;
}

/** A new element; strings among the children become text nodes. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K, properties: Properties = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (properties.class !== undefined) made.className = properties.class;
  for (const [name, value] of Object.entries(properties.attributes ?? {})) made.setAttribute(name, value);
  for (const [name, listener] of Object.entries(properties.on ?? {})) made.addEventListener(name, listener);
  made.append(...children);
  return made;
}

/** A new SVG element with attributes. */
export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string>): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** The element that index.html promises under this id; its absence is a mistake in this page. */
export function find<T extends Element>(id: string, type: abstract new (...args: never[]) => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} with id ${id}`);
  return found;
}

/** Sets text only where it differs, so that live regions and selections are left alone. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes the children of `parent` those of `items`, in order, keeping the element of each key. `update` is called for
 * every item, also for one just made.
 */
export function reconcile<T, E extends Element>(
  parent: Element, known: Map<string, E>, items: readonly T[],
  key: (item: T) => string, make: (item: T) => E, update: (made: E, item: T) => void,
): void {
  const wanted = new Set(items.map(key));
  for (const [name, old] of known) {
    if (wanted.has(name)) continue;
    old.remove();
    known.delete(name);
  }
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let present = known.get(name);
    if (present === undefined) {
      present = make(item);
      known.set(name, present);
    }
    update(present, item);
    if (present === place) place = place.nextElementSibling;
    else parent.insertBefore(present, place);
  }
}

/** Runs `work` once in the next frame, however often it is asked for. */
export function oncePerFrame(work: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

/** Whether the person asked for less motion. Asked each time: it may change while the page is open. */
export function motionIsReduced(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
