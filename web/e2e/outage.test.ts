import assert from "node:assert/strict";
import { callApi, Guest } from "./guest.js";
import { eventually, lineErrors, scenario, type Stage } from "./harness/index.js";

async function twoGuests(stage: Stage): Promise<[Guest, Guest]> {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  for (const guest of [alice, bob]) guest.visitor.expect(lineErrors);
  return [alice, bob];
}

/** Something of every kind, so that it is seen what a restart leaves of it. */
async function fill(alice: Guest, bob: Guest): Promise<void> {
  await alice.say("before the restart");
  await bob.reads("before the restart");
  await alice.react("🔔");
  await bob.vote("tacos");
  await alice.seesText("poll-total", "1");
  await bob.seesText("reaction-total", "1");
}

/** Both pages have come back to a server that remembers nothing, say so and show what is true now. */
async function comeBackToNothing(alice: Guest, bob: Guest): Promise<void> {
  for (const guest of [alice, bob]) {
    await guest.isTold(/^Back after .*The server was restarted and its history of before is gone\. This is the present\.$/);
    await guest.sees("the divider", async () => (await guest.rows()).includes("-- The server was restarted and no longer holds what is above"));
    await guest.seesText("reaction-total", "0");
    await guest.seesText("poll-total", "0");
    await guest.seesText("here-count", "2");
  }
  await bob.say("after the restart");
  await alice.reads("after the restart");
  await alice.say("welcome back");
  await bob.reads("welcome back");
  assert.deepEqual(await bob.rows(), ["before the restart", "-- The server was restarted and no longer holds what is above", "after the restart", "welcome back"]);
}

scenario("the server is stopped and started again under two pages", async (stage) => {
  const [alice, bob] = await twoGuests(stage);
  await fill(alice, bob);
  await stage.server.stop();
  for (const guest of [alice, bob]) {
    await guest.isTold(/The line is lost/);
    await guest.sees("when the next try is", async () => /^(Next try in \d+ s|Trying)?$/.test(await guest.text("banner-count")));
  }
  await stage.server.start();
  await comeBackToNothing(alice, bob);
});

scenario("the server is killed and what was written meanwhile is sent once", async (stage) => {
  const [alice, bob] = await twoGuests(stage);
  await fill(alice, bob);
  await stage.server.kill();
  await bob.isTold(/The line is lost/);
  await bob.say("written while it was dead");
  await bob.sees("it waiting", async () => (await bob.page.locator(".message-pending").innerText()).includes("Waiting for the line"));
  await stage.server.start();
  for (const guest of [alice, bob]) {
    await guest.reads("written while it was dead");
    await guest.isTold(/restarted and its history of before is gone/);
  }
  await bob.say("and after");
  await alice.reads("and after");
  for (const guest of [alice, bob]) {
    assert.deepEqual((await guest.messages("all")).filter((text) => text !== "before the restart"), ["written while it was dead", "and after"]);
  }
});

scenario("a page whose line is cut resumes two hundred messages without loss or duplicate", async (stage) => {
  const [alice, bob] = await twoGuests(stage);
  await alice.say("before");
  await bob.reads("before");
  bob.visitor.line.cut();
  await bob.isTold(/The line is lost/);
  const texts = Array.from({ length: 200 }, (_, index) => `message ${index + 1}`);
  await alice.sayMany(texts);
  await alice.sees("all sent", async () => (await alice.messages()).length === 201);
  assert.deepEqual(await bob.messages(), ["before"]);
  bob.visitor.line.restore();
  await bob.isTold(/^Back after .* events replayed, nothing was missed\.$/);
  await bob.reads("message 200");
  assert.deepEqual(await bob.messages(), ["before", ...texts]);
  assert.deepEqual((await bob.rows()).slice(0, 3), ["before", "-- New", "message 1"]);
  await bob.say("read it all");
  for (const guest of [alice, bob]) await guest.reads("read it all");
  assert.deepEqual(await bob.messages(), [...(await alice.messages())]);
  await bob.sees("no mark any more", async () => !(await bob.rows()).includes("-- New"));
});

scenario("the line is cut again and again while messages come, and none is lost or doubled", async (stage) => {
  const [alice, bob] = await twoGuests(stage);
  const texts = Array.from({ length: 200 }, (_, index) => `message ${index + 1}`);
  await alice.sayMany(texts);
  for (let cut = 0; cut < 4; cut++) {
    const before = (await bob.messages()).length;
    bob.visitor.line.cut();
    await bob.sees("its line lost", async () => (await bob.by("line-chip").getAttribute("data-state")) !== "connected");
    bob.visitor.line.restore();
    await bob.isLive();
    await bob.sees("more messages", async () => (await bob.messages()).length > Math.min(before, 199));
  }
  await bob.reads("message 200");
  assert.deepEqual(await bob.messages(), texts);
  assert.deepEqual(await alice.messages(), texts);
});

scenario("a page goes offline, keeps what is written and catches up when it is online", async (stage) => {
  const [alice, bob] = await twoGuests(stage);
  await bob.visitor.offline();
  await bob.isTold(/You are offline/);
  await alice.seesText("here-count", "1");
  await bob.say("written offline");
  await bob.vote("salad");
  await alice.say("written meanwhile");
  await bob.visitor.online();
  await bob.isTold(/nothing was missed/);
  for (const guest of [alice, bob]) {
    await guest.reads("written offline");
    await guest.reads("written meanwhile");
    await guest.seesText("poll-total", "1");
    await guest.seesText("here-count", "2");
    assert.deepEqual(await guest.messages("all"), ["written meanwhile", "written offline"]);
  }
});

scenario("a page that was away for too long is told how much is gone", async (stage) => {
  const [, bob] = await twoGuests(stage);
  bob.visitor.line.cut();
  await bob.isTold(/The line is lost/);
  const texts = Array.from({ length: 1200 }, (_, index) => `message ${index + 1}`);
  for (const text of texts) assert.equal((await callApi(stage, "publish", { channel: "chat:lobby", data: { text } })).status, 200);
  bob.visitor.line.restore();
  await bob.isTold(/^Back after .* events? replayed; \d+ events had already been forgotten by the server\.$/);
  await bob.reads("message 1200");
  const shown = await bob.messages();
  assert.deepEqual(shown, texts.slice(-shown.length), "what is shown has no gap");
});

scenario("a page that the backend sends away says so, and what it could not send can be tried again", async (stage) => {
  const [alice, bob] = await twoGuests(stage);
  const answer = await callApi(stage, "disconnect", { user: await bob.user(), code: 4410, reason: "time to go" });
  assert.equal(answer.status, 200);
  await bob.isTold(/^The server has ended this connection \(4410 time to go\)\.$/);
  await alice.seesText("here-count", "1");
  await bob.say("from behind a closed door");
  await bob.sees("that it was not sent", async () => (await bob.page.locator(".message-failed .message-status").innerText()).includes("Not sent"));
  await bob.by("banner-button").click();
  await bob.isLive();
  await bob.page.locator(".message-failed .message-retry").click();
  for (const guest of [alice, bob]) await guest.reads("from behind a closed door");
  assert.equal((await bob.messages("all")).length, 1);
});

scenario("whoever does not want to wait presses the button, and the banner leaves by itself", async (stage) => {
  const alice = await Guest.arrive(stage, "Alice");
  alice.visitor.expect(lineErrors);
  alice.visitor.line.cut();
  // Waits are drawn, and grow: one that is long enough to press the button in it comes soon.
  await eventually("a wait of some seconds", async () => /Next try in ([4-9]|\d\d) s/.test(await alice.text("banner-count")), 60_000);
  alice.visitor.line.restore();
  await alice.by("banner-button").click();
  await alice.isTold(/^Back after/);
  await alice.isLive();
  await eventually("the banner goes away by itself", async () => alice.by("banner-body").isHidden(), 30_000);
});
