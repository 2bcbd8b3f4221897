/** `@bellwire/client/protobuf`: the binary framing, to be given to `Bellwire` as `codec`. */
export { protobuf } from "./codec/protobuf.js";
