import assert from "node:assert/strict";
import { Guest } from "./guest.js";
import { eventually, scenario } from "./harness/index.js";

scenario("a reaction floats up on the other's screen and is counted on both", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  const float = bob.page.locator(".float", { hasText: "🎉" }).first().waitFor({ state: "attached" });
  await alice.react("🎉");
  await float;
  assert.match((await bob.page.locator(".float").first().textContent()) ?? "", /Alice/);
  await bob.react("🎉");
  await bob.react("🔔");
  for (const guest of [alice, bob]) {
    await guest.sees("two of one and one of the other", async () => (await guest.reactions("🎉")) === 2 && (await guest.reactions("🔔")) === 1);
    await guest.seesText("reaction-total", "3");
  }
  await alice.sees("the air clear again", async () => (await alice.page.locator(".float").count()) === 0);

  const cy = await Guest.arrive(stage, "Cy");
  await cy.seesText("reaction-total", "3");
  assert.equal(await cy.page.locator(".float").count(), 0, "what was before floats for nobody");
});

scenario("whoever asked for less motion gets counts without movement", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob", { reducedMotion: "reduce" });
  await bob.page.evaluate(() => {
    new MutationObserver(() => (document.body.dataset["floated"] = "yes")).observe(document.querySelector("#floats") as Node, { childList: true });
  });
  await alice.react("🚀");
  await bob.sees("the count", async () => (await bob.reactions("🚀")) === 1);
  assert.equal(await bob.page.evaluate(() => document.body.dataset["floated"]), undefined);
});

scenario("a vote moves the bars on both pages, and changing it keeps one vote a person", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  const show = async (guest: Guest, choice: string, votes: string, share: string, filled: number): Promise<void> => {
    await guest.sees(`${choice}: ${votes}, ${share}`, async () => {
      const option = await guest.option(choice);
      return option.votes === votes && option.share === share && Math.abs(option.filled - filled) < 0.01;
    });
  };
  await alice.vote("ramen");
  for (const guest of [alice, bob]) await show(guest, "ramen", "1 vote", "100 %", 1);
  await bob.vote("pizza");
  for (const guest of [alice, bob]) {
    await show(guest, "ramen", "1 vote", "50 %", 0.5);
    await show(guest, "pizza", "1 vote", "50 %", 0.5);
  }
  await alice.vote("pizza");
  for (const guest of [alice, bob]) {
    await show(guest, "ramen", "0 votes", "0 %", 0);
    await show(guest, "pizza", "2 votes", "100 %", 1);
    await guest.seesText("poll-total", "2");
  }
  await alice.page.reload();
  await show(alice, "pizza", "2 votes", "100 %", 1);
  assert.equal(await alice.page.locator('[data-choice="pizza"] input').isChecked(), true, "one's own vote is remembered");
});

scenario("cursors follow the pointer over the same thing, with the name, and leave with the person", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob", { viewport: { width: 1100, height: 800 } });
  const box = await alice.by("poll").boundingBox();
  assert.ok(box !== null);
  await alice.page.mouse.move(box.x + box.width * 0.25, box.y + box.height * 0.75, { steps: 5 });
  await bob.sees("Alice's cursor", async () => (await bob.cursors()).includes("Alice"));
  await bob.sees("it over his poll", async () => {
    const cursor = await bob.page.locator(".cursor").boundingBox();
    const area = await bob.by("poll").boundingBox();
    if (cursor === null || area === null) return false;
    const [x, y] = [(cursor.x - area.x) / area.width, (cursor.y - area.y) / area.height];
    return Math.abs(x - 0.25) < 0.01 && Math.abs(y - 0.75) < 0.01;
  });
  assert.equal((await alice.cursors()).includes("Alice"), false, "nobody sees their own");
  await alice.visitor.leave();
  await bob.sees("no cursor of Alice", async () => !(await bob.cursors()).includes("Alice"));
});

scenario("the dashboard plots this machine, and history fills it at once", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const points = (guest: Guest) => guest.page.locator(".chart-plot").evaluateAll((plots) => plots.map((plot) => Number((plot as HTMLElement).dataset["points"] ?? 0)));
  await alice.sees("three points on each of four charts", async () => {
    const found = await points(alice);
    return found.length === 4 && found.every((count) => count >= 3);
  });
  assert.equal(await alice.page.locator(".chart-plot canvas").count(), 4);
  await alice.sees("present figures", async () => /^\d+ %$/.test(await alice.page.locator(".chart-now").first().innerText()));
  const before = Math.min(...(await points(alice)));
  await alice.sees("more points", async () => (await points(alice)).every((count) => count > before));
  assert.ok(await alice.page.locator(".chart-plot canvas").first().evaluate(isDrawn), "the canvas is blank");

  const bob = await Guest.arrive(stage, "Bob");
  await bob.sees("the history", async () => (await points(bob)).every((count) => count > before));
});

/** Whether anything has been painted on the canvas. */
function isDrawn(canvas: HTMLCanvasElement | SVGElement): boolean {
  if (!(canvas instanceof HTMLCanvasElement)) return false;
  const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
  return data.some((value) => value !== 0);
}

scenario("the monitor counts what the line carries, filters, pauses and keeps its measure", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  const events = () => alice.page.locator("#monitor-events .event-kind").allTextContents();
  await bob.say("hello");
  await alice.reads("hello");
  await alice.sees("the publication", async () => (await events()).includes("publication chat:lobby"));
  await alice.seesText("monitor-transport", /WebSocket/);
  await alice.seesText("monitor-in", /^[\d.]+ (B|kB|MB)$/);
  await alice.seesText("monitor-rtt", /^[\d.]+ (ms|s)$/);
  await alice.sees("the round trips plotted", async () => Number(await alice.by("monitor-sparkline").getAttribute("data-points")) >= 2);
  await alice.seesText("monitor-saved", /^[\d.]+ (kB|MB)$/);
  await alice.seesText("monitor-requests", /^[\d,]+ requests not made$/);
  await alice.by("saved-hint").click();
  await alice.seesText("saved-text", /saved = seconds × 6 × \d+ B/);
  await alice.page.keyboard.press("Escape");
  assert.equal(await alice.by("saved-text").isHidden(), true);

  const shown = await alice.page.locator("#monitor-events").textContent();
  assert.doesNotMatch(shown ?? "", /eyJ/, "a token is shown");

  await alice.by("monitor-filter").fill("chat:");
  await alice.sees("only the chat", async () => (await events()).length > 0 && (await events()).every((kind) => kind.includes("chat:")));
  await alice.by("monitor-filter").fill("no such thing");
  await alice.sees("nothing", async () => (await events()).length === 0 && (await alice.by("monitor-empty").isVisible()));
  await alice.by("monitor-filter").fill("");

  await alice.by("monitor-pause").click();
  const before = await events();
  await bob.say("while paused");
  await alice.reads("while paused");
  await alice.seesText("monitor-pause", /Go on \(\d+\)/);
  assert.deepEqual(await events(), before);
  await alice.by("monitor-pause").click();
  await alice.sees("what came meanwhile", async () => (await events()).filter((kind) => kind === "publication chat:lobby").length >= 2);

  await alice.by("monitor-quiet").uncheck();
  await alice.sees("pings", async () => (await events()).includes("ping"));
  await eventually("the list is bounded", async () => (await events()).length <= 120);
});
