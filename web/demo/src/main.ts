// The demo: five small applications on one line. Everything it does is done with the public client.

import "../styles/main.css";
import { Bellwire } from "@bellwire/client";
import { Chat } from "./chat/chat.js";
import { Connection } from "./connection/connection.js";
import { startCursors } from "./cursor/cursor.js";
import { startDashboard } from "./dashboard/dashboard.js";
import { find } from "./dom.js";
import { startMonitor } from "./monitor/monitor.js";
import { Page } from "./page.js";
import { Identity } from "./person/identity.js";
import { startProfile } from "./person/profile.js";
import { startPoll } from "./poll/poll.js";
import { startReactions } from "./reaction/reaction.js";
import { startTheme } from "./theme.js";
import { fetchToken } from "./token.js";

startTheme();
const identity = new Identity(new URLSearchParams(location.search));
startProfile(identity);

const bellwire = new Bellwire("/ws", { token: () => fetchToken(identity) });
const page = new Page(bellwire, identity);
const connection = new Connection(page);
startMonitor(page, connection);
const chat = new Chat(page);
startReactions(page);
startPoll(page);
startDashboard(page);
startCursors(page, chat.channel);
connection.watch();

find("foot-curl", HTMLElement).textContent = `curl ${location.origin}/api/v1/publish -H 'Authorization: Bearer dev' -H 'Content-Type: application/json' ` +
  `-d '{"channel":"chat:lobby","data":{"text":"Hello from curl","name":"curl"}}'`;
void bellwire.connect();
