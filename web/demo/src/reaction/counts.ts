// How often each reaction was rung, and how many rings one change of the state stands for.

export const reactions = [
  { emoji: "🔔", name: "Bell" },
  { emoji: "👏", name: "Applause" },
  { emoji: "❤️", name: "Heart" },
  { emoji: "😂", name: "Laughter" },
  { emoji: "🎉", name: "Party" },
  { emoji: "🚀", name: "Rocket" },
] as const;

export class ReactionCounts {
  readonly #counts = new Map<string, number>(reactions.map(({ emoji }) => [emoji, 0]));

  get total(): number {
    let sum = 0;
    for (const count of this.#counts.values()) sum += count;
    return sum;
  }

  of(emoji: string): number {
    return this.#counts.get(emoji) ?? 0;
  }

  /** Takes a new value and returns by how much it grew; keys that are no reaction of this page are ignored. */
  set(emoji: string, value: unknown): number {
    const before = this.#counts.get(emoji);
    if (before === undefined) return 0;
    const now = typeof value === "number" && Number.isFinite(value) ? Math.max(0, value) : 0;
    this.#counts.set(emoji, now);
    return Math.max(0, now - before);
  }

  clear(): void {
    for (const emoji of this.#counts.keys()) this.#counts.set(emoji, 0);
  }
}
