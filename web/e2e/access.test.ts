import assert from "node:assert/strict";
import { Guest } from "./guest.js";
import { scenario } from "./harness/index.js";

/** What has the focus: its id, or what tells it from its neighbours. */
function focused(guest: Guest): Promise<string> {
  return guest.page.evaluate(() => {
    const active = document.activeElement;
    if (!(active instanceof HTMLElement)) return "none";
    if (active instanceof HTMLInputElement && active.type === "radio") return `${active.name}:${active.value}`;
    return active.dataset["emoji"] ?? (active.id || active.className);
  });
}

/** Presses Tab until the focus is there, and gives everything it came by. */
async function tabTo(guest: Guest, wanted: string): Promise<string[]> {
  const way: string[] = [];
  while (way.at(-1) !== wanted) {
    assert.ok(way.length < 60, `Tab never comes to ${wanted}: ${way.join(", ")}`);
    await guest.page.keyboard.press("Tab");
    way.push(await focused(guest));
  }
  return way;
}

scenario("everything can be done with the keyboard alone, in the order of the page", async (stage) => {
  const watcher = await Guest.arrive(stage, "Watcher");
  const visitor = await stage.visitor("keys");
  const keys = Object.assign(Object.create(Guest.prototype) as Guest, { visitor, page: visitor.page, name: "keys" });
  await keys.isLive();

  await keys.page.keyboard.press("Tab");
  assert.equal(await focused(keys), "skip");
  assert.ok((await keys.page.locator(".skip").boundingBox())?.y ?? -1 >= 0, "the skip link shows itself");
  await tabTo(keys, "profile-input");
  await keys.page.keyboard.press("ControlOrMeta+a");
  await keys.page.keyboard.type("Keys");
  await keys.page.keyboard.press("Enter");
  assert.equal(await focused(keys), "profile-button", "the focus goes back to what opened it");

  await tabTo(keys, "chat-input");
  const outline = await keys.by("chat-input").evaluate((input) => getComputedStyle(input).outlineStyle);
  assert.equal(outline, "solid", "the focus is visible");
  await keys.page.keyboard.type("no mouse here");
  await keys.page.keyboard.press("Enter");
  await watcher.reads("no mouse here");
  assert.equal(await focused(keys), "chat-input");

  const way = await tabTo(keys, "🎉");
  assert.deepEqual(way.filter((stop) => /^\p{Extended_Pictographic}/u.test(stop)), ["🔔", "👏", "❤️", "😂", "🎉"]);
  await keys.page.keyboard.press("Space");
  await watcher.sees("the reaction", async () => (await watcher.reactions("🎉")) === 1);

  await tabTo(keys, "poll:ramen");
  await keys.page.keyboard.press("Space");
  await watcher.sees("the vote", async () => (await watcher.option("ramen")).votes === "1 vote");
  await keys.page.keyboard.press("ArrowDown");
  await watcher.sees("the changed vote", async () => (await watcher.option("pizza")).votes === "1 vote" && (await watcher.option("ramen")).votes === "0 votes");

  const rest = await tabTo(keys, "monitor-pause");
  assert.deepEqual(rest, ["saved-hint", "monitor-filter", "monitor-quiet", "monitor-pause"]);
  await keys.page.keyboard.press("Space");
  assert.equal(await keys.by("monitor-pause").getAttribute("aria-pressed"), "true");
});

scenario("the skip link leads to the chat", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  await alice.page.reload();
  await alice.page.keyboard.press("Tab");
  await alice.page.keyboard.press("Enter");
  assert.equal(await focused(alice), "chat-input");
});

scenario("every control has a name, and every image a text or none", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  await alice.say("something");
  await alice.reads("something");
  const nameless = await alice.page.evaluate(() => {
    const controls = "button, a[href], input, textarea, [role=region], [role=radiogroup], [role=dialog], [role=img]";
    return [...document.querySelectorAll(controls)].filter((control) => {
      const labels = [...((control as HTMLInputElement).labels ?? [])].map((label) => label.textContent);
      const texts = [control.getAttribute("aria-label"), control.getAttribute("aria-labelledby"), control.textContent, ...labels];
      return control.closest("[hidden]") === null && texts.every((text) => (text ?? "").trim() === "");
    }).map((control) => control.outerHTML.slice(0, 120));
  });
  assert.deepEqual(nameless, []);
});

scenario("the page follows the system's theme until the person chooses, and remembers", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice", { colorScheme: "dark" });
  const theme = () => alice.page.evaluate(() => [document.documentElement.dataset["theme"], getComputedStyle(document.body).color, getComputedStyle(document.documentElement).backgroundColor]);
  const dark = await theme();
  assert.equal(dark[0], "dark");
  await alice.page.emulateMedia({ colorScheme: "light" });
  await alice.sees("light", async () => (await theme())[0] === "light");
  assert.notDeepEqual((await theme()).slice(1), dark.slice(1));
  await alice.by("theme-button").click();
  assert.deepEqual(await theme(), dark);
  await alice.page.reload();
  assert.equal((await theme())[0], "dark");
  assert.equal(await alice.by("theme-button").getAttribute("aria-label"), "Switch to light");
});

for (const [device, viewport] of [["small phone", { width: 360, height: 640 }], ["phone", { width: 390, height: 844 }], ["tablet", { width: 834, height: 1112 }], ["desktop", { width: 1440, height: 900 }]] as const) {
  scenario(`nothing sticks out on a ${device}`, async (stage) => {
    const phone = await Guest.arrive(stage, "Alexandra the Considerably Long", { viewport, hasTouch: viewport.width < 1000, colorScheme: "dark" });
    await phone.say(`${"wide".repeat(60)} and a sentence after it`);
    await phone.react("❤️");
    await phone.sees("the message", async () => (await phone.messages()).length === 1);
    const sticking = await phone.page.evaluate(() => {
      const width = document.documentElement.clientWidth;
      return [...document.querySelectorAll("body *")].filter((node) => !node.closest(".visually-hidden, .floats, .cursors, svg, .uplot") && node.getClientRects().length > 0)
        .filter((node) => node.getBoundingClientRect().right > width + 0.5).map((node) => `${node.className} ${node.getBoundingClientRect().right}`);
    });
    assert.deepEqual(sticking, []);
    await phone.visitor.screenshot(`device-${device}`, { fullPage: true });
  });
}

scenario("the page needs nothing but itself", async (stage) => {
  const foreign: string[] = [];
  const visitor = await stage.visitor("plain");
  visitor.page.on("request", (request) => {
    if (new URL(request.url()).origin !== visitor.line.url) foreign.push(request.url());
  });
  const response = await visitor.page.reload();
  const policy = response?.headers()["content-security-policy"] ?? "";
  assert.match(policy, /default-src '(self|none)'/);
  assert.doesNotMatch(policy, /unsafe/);
  await visitor.page.locator('#line-chip[data-state="connected"]').waitFor();
  assert.deepEqual(foreign, []);
});

scenario("the page does not jump while it fills", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  await alice.say("something to load");
  await alice.reads("something to load");
  await alice.page.addInitScript(() => {
    const shifts: { value: number; what: string }[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, sources } = entry as unknown as { value: number; sources: { node: Element | null }[] };
        shifts.push({ value, what: sources.map(({ node }) => node?.id || node?.className || node?.nodeName || "removed").join(", ") });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await alice.page.reload();
  await alice.isLive();
  await alice.reads("something to load");
  await alice.sees("charts", async () => (await alice.page.locator(".chart-plot canvas").count()) === 4);
  const shifts = (await alice.page.evaluate("window.shifts")) as { value: number; what: string }[];
  const sum = shifts.reduce((total, { value }) => total + value, 0);
  assert.ok(sum < 0.02, `the layout shifted by ${sum}: ${JSON.stringify(shifts)}`);
});
