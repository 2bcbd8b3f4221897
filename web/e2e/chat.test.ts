import assert from "node:assert/strict";
import { callApi, Guest } from "./guest.js";
import { scenario } from "./harness/index.js";

scenario("two pages chat both ways, and a third finds what was said", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  await alice.say("Hello Bob");
  await bob.reads("Hello Bob");
  await bob.say("Hello Alice\nhow are you?");
  await alice.reads("Hello Alice\nhow are you?");
  assert.equal(await alice.page.locator(".message-own .message-text").innerText(), "Hello Bob");
  assert.equal(await alice.page.locator(".message:not(.message-own) .message-author").innerText(), "Bob");
  await bob.sees("his own on the right", async () => {
    const own = await bob.page.locator(".message-own .message-text").boundingBox();
    const other = await bob.page.locator(".message:not(.message-own) .message-text").boundingBox();
    return own !== null && other !== null && own.x > other.x;
  });

  const cy = await Guest.arrive(stage, "Cy");
  await cy.reads("Hello Bob");
  await cy.reads("Hello Alice\nhow are you?");
  assert.deepEqual(await cy.messages(), ["Hello Bob", "Hello Alice\nhow are you?"]);
  assert.equal(await cy.page.locator("#chat-log time").first().getAttribute("datetime").then((time) => Number.isNaN(Date.parse(time ?? ""))), false);
});

scenario("people come and go, and two pages of one person are one person", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  await alice.seesText("here-count", "1");
  const bob = await Guest.arrive(stage, "Bob");
  await alice.seesText("here-count", "2");
  await bob.seesText("here-count", "2");

  const second = await bob.page.context().newPage();
  await second.goto(bob.page.url());
  await alice.by("here-button").click();
  await alice.seesText("here-list", /Bob.*2 pages/);
  await alice.seesText("here-count", "2");
  await second.close();
  await alice.sees("one page of Bob", async () => !/2 pages/.test(await alice.text("here-list")));
  await alice.seesText("here-count", "2");

  await bob.rename("Robert");
  await alice.seesText("here-list", /Robert/);
  await bob.visitor.leave();
  await alice.seesText("here-count", "1");
  assert.doesNotMatch(await alice.text("here-list"), /Robert/);
});

scenario("one browser can be two people", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const [second] = await Promise.all([alice.page.context().waitForEvent("page"), alice.by("second-window").click()]);
  await alice.seesText("here-count", "2");
  assert.notEqual(await second.locator("#profile-name").textContent(), "Alice");
});

scenario("typing is shown to the others until the message is there", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  await bob.by("chat-input").pressSequentially("Hm");
  await alice.seesText("chat-typing", "Bob is typing");
  assert.equal(await bob.text("chat-typing"), "");
  await bob.by("chat-input").press("Enter");
  await alice.reads("Hm");
  await alice.seesText("chat-typing", "");
  await bob.by("chat-input").pressSequentially("again");
  await alice.seesText("chat-typing", "Bob is typing");
  await bob.by("chat-input").fill("");
  await alice.seesText("chat-typing", "");
});

scenario("a message shows who has seen it, and the sign moves on", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  const seenBy = (text: string) => alice.page.locator(".message", { hasText: text }).locator(".message-seen .avatar").evaluateAll((avatars) => avatars.map((avatar) => (avatar as HTMLElement).title));
  await alice.say("first");
  await bob.reads("first");
  await alice.sees("that Bob has seen the first", async () => (await seenBy("first")).includes("Bob"));
  await alice.say("second");
  await alice.sees("that Bob has seen the second", async () => (await seenBy("second")).includes("Bob"));
  assert.deepEqual(await seenBy("first"), []);
});

scenario("who comes back finds a mark above what is new", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  await alice.say("while Bob is here");
  await bob.reads("while Bob is here");
  await bob.sees("no mark", async () => !(await bob.rows()).includes("-- New"));
  await bob.page.goto("about:blank");
  await alice.seesText("here-count", "1");
  await alice.say("while Bob is away");
  await bob.page.goto(bob.visitor.line.url);
  await bob.isLive();
  await bob.reads("while Bob is away");
  assert.deepEqual(await bob.rows(), ["while Bob is here", "-- New", "while Bob is away"]);
});

scenario("the application's backend writes too, and is nobody", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const command = await alice.text("foot-curl");
  const [, body] = /-d '(.*)'/.exec(command) ?? [];
  const answer = await callApi(stage, "publish", JSON.parse(body ?? "{}"));
  assert.equal(answer.status, 200);
  await alice.reads("Hello from curl");
  assert.equal(await alice.page.locator(".message-author").innerText(), "curl");
  assert.match(command, new RegExp(`^curl ${alice.visitor.line.url}/api/v1/publish `));
});

scenario("what people write is text, whatever it looks like", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  for (const [index, payload] of payloads.entries()) {
    await bob.rename(payload);
    await bob.say(`${payload} ${index}`);
  }
  const wanted = payloads.map((payload, index) => `${payload} ${index}`);
  for (const guest of [alice, bob]) {
    await guest.sees("all messages", async () => (await guest.messages()).length === payloads.length);
    assert.deepEqual(await guest.messages(), wanted);
    const inside = guest.page.locator(".message-text *, .message-author *, .here-person-name *, .cursor-name *, .event-text *, #profile-name *");
    assert.equal(await inside.count(), 0, "markup came out of a message or a name");
    assert.equal(await guest.page.evaluate("window.pwned"), undefined);
    assert.equal(await guest.page.locator("script").count(), 2, "only the page's own scripts");
  }
  await alice.by("here-button").click();
  const last = payloads[payloads.length - 1] ?? "";
  await alice.sees("the name as text", async () => (await alice.page.locator(".here-person-name").allTextContents()).includes(last));
});

/** Each is at most 32 characters, so that it fits a name too. */
const payloads = [
  "<script>pwned=1</script>",
  "<img src=x onerror=pwned=1>",
  "<svg onload=pwned=1>",
  "<svg/onload=pwned=1//",
  "\"><script>pwned=1</script>",
  "'><img src=x onerror=pwned=1>",
  "javascript:pwned=1",
  "<a href=javascript:pwned=1>x</a>",
  "<iframe srcdoc=pwned>",
  "<body onload=pwned=1>",
  "<details open ontoggle=pwned=1>",
  "<style>*{display:none}</style>",
  "</textarea><b>bold</b>",
  "<!--<b>comment-->",
  "&lt;script&gt;&#106;",
  "{{constructor.constructor('x')}}",
  "${pwned=1}",
  "__proto__",
  "<b style=position:fixed;inset:0>",
  "\\u003cscript\\u003e",
];
