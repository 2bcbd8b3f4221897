/**
 * `@bellwire/client`: a live line to a Bellwire server. Begin with {@link Bellwire}.
 *
 * Framings beside JSON are entries of their own: `@bellwire/client/protobuf`.
 */
export { Bellwire, version } from "./client.js";
export type { BellwireEvents, BellwireOptions, LineEvent, Session, StateEvent, Traffic } from "./client.js";
export { Channel } from "./channel.js";
export type {
  ChannelEvents, ChannelOptions, HistoryOptions, HistoryPage, Member, MemberConnection, MissedEvent, PresenceEvent, PresencePage, Published,
  PublishOptions, StateChangedEvent, StatePage, SubscribedEvent, TokenSource, UnsubscribedEvent,
} from "./channel.js";
export type { Codec, Decoded } from "./codec/codec.js";
export { disconnectCodes, errorCodes, unsubscribeCodes } from "./codes.js";
export type { ConnectionState, SubscriptionState } from "./core/output.js";
export type { Listener } from "./emitter.js";
export { BellwireError } from "./error.js";
export type { ClientMessage, Position, PresenceMode, ServerMessage } from "./message.js";
export type { Platform, PlatformEvents } from "./platform.js";
export type { Publication, Publisher } from "./publication.js";
export type { Entry, Updated, UpdateOptions, Updater } from "./state.js";
export type { WebSocketConstructor, WebSocketLike } from "./transport/websocket.js";
