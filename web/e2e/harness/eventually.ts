/**
 * Asks again and again until the condition holds, and throws when it does not in time. The time is a limit for
 * what is broken, not a wait: what holds at once returns at once. An exception of the condition ends the asking.
 */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
