// The votes of a poll: in the channel's state each user has one key, so nobody can have two.

export const options = [
  { choice: "ramen", label: "Ramen", emoji: "🍜" },
  { choice: "pizza", label: "Pizza", emoji: "🍕" },
  { choice: "salad", label: "Salad", emoji: "🥗" },
  { choice: "tacos", label: "Tacos", emoji: "🌮" },
] as const;

export interface Share {
  readonly choice: string;
  readonly votes: number;
  /** Of all votes, 0 to 1. */
  readonly fraction: number;
  /** Whole per cent; those of all options together are 100 (largest remainders), or 0 without a vote. */
  readonly percent: number;
  readonly voters: readonly string[];
}

export class Tally {
  readonly #votes = new Map<string, string>();

  get total(): number {
    return this.#votes.size;
  }

  /** The choice of a user; undefined when they have not voted. */
  of(user: string): string | undefined {
    return this.#votes.get(user);
  }

  /** Takes a user's vote; one for no option of this page counts as none. */
  set(user: string, choice: unknown): void {
    if (options.some((option) => option.choice === choice)) this.#votes.set(user, choice as string);
    else this.#votes.delete(user);
  }

  remove(user: string): void {
    this.#votes.delete(user);
  }

  clear(): void {
    this.#votes.clear();
  }

  shares(): Share[] {
    const voters = new Map<string, string[]>(options.map(({ choice }) => [choice, []]));
    for (const [user, choice] of this.#votes) voters.get(choice)?.push(user);
    const percents = wholePercents(options.map(({ choice }) => voters.get(choice)?.length ?? 0));
    return options.map(({ choice }, index) => {
      const users = voters.get(choice) ?? [];
      const fraction = this.total === 0 ? 0 : users.length / this.total;
      return { choice, votes: users.length, fraction, percent: percents[index] ?? 0, voters: users };
    });
  }
}

/** Rounds shares so that they are whole and together 100. */
export function wholePercents(votes: readonly number[]): number[] {
  const total = votes.reduce((sum, count) => sum + count, 0);
  if (total === 0) return votes.map(() => 0);
  const exact = votes.map((count) => (100 * count) / total);
  const whole = exact.map(Math.floor);
  const rest = 100 - whole.reduce((sum, percent) => sum + percent, 0);
  const byRemainder = exact.map((value, index) => ({ index, remainder: value % 1 })).sort((a, b) => b.remainder - a.remainder);
  for (const { index } of byRemainder.slice(0, rest)) whole[index] = (whole[index] ?? 0) + 1;
  return whole;
}
