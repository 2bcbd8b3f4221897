// What the line has carried, and what polling would have cost instead. Values only.
//
// Polling, once a second and channel, is an HTTP/1.1 request and its response. What is received is the same either way, so it
// cancels out, and the line has saved
//
//     seconds × channels × (request headers + response headers) − sent − one such pair for each time the line was opened
//
// What the page sends would be requests of their own in polling, and dearer; they are left out.

export interface Headers {
  readonly request: number;
  readonly response: number;
}

/** The least that a browser and a server say for one poll: no cookies, no compression, no caching headers. */
export function pollingHeaders(host: string, userAgent: string, tokenBytes: number): Headers {
  const request = [
    "GET /api/v1/history?channel=metrics:host&since=k3f9:1042 HTTP/1.1",
    `Host: ${host}`,
    `User-Agent: ${userAgent}`,
    "Accept: application/json",
    "Accept-Encoding: gzip, deflate, br",
    "Accept-Language: en",
    `Authorization: Bearer ${"t".repeat(tokenBytes)}`,
    "Connection: keep-alive",
  ];
  const response = [
    "HTTP/1.1 200 OK",
    "Content-Type: application/json",
    "Content-Length: 1234",
    "Date: Fri, 01 Jan 2027 00:00:00 GMT",
  ];
  const size = (lines: readonly string[]): number => lines.reduce((sum, line) => sum + line.length + 2, 2);
  return { request: size(request), response: size(response) };
}

/** RFC 6455 5.2: the bytes around a payload; a client's frames are masked. Several messages may share a frame: this is the most. */
export function frameBytes(payload: number, masked: boolean): number {
  const length = payload < 126 ? 0 : payload < 65_536 ? 2 : 8;
  return 2 + length + (masked ? 4 : 0);
}

export class Meter {
  bytesIn = 0;
  bytesOut = 0;
  messagesIn = 0;
  messagesOut = 0;
  #opened = 0;
  #channelSeconds = 0;

  received(payload: number): void {
    this.bytesIn += payload + frameBytes(payload, false);
    this.messagesIn++;
  }

  sent(payload: number): void {
    this.bytesOut += payload + frameBytes(payload, true);
    this.messagesOut++;
  }

  opened(): void {
    this.#opened++;
  }

  /** So long the line served so many channels. */
  passed(seconds: number, channels: number): void {
    this.#channelSeconds += seconds * channels;
  }

  /** The requests that polling would have made. */
  get requests(): number {
    return Math.floor(this.#channelSeconds);
  }

  saved(headers: Headers): number {
    const pair = headers.request + headers.response;
    return (this.requests - this.#opened) * pair - this.bytesOut;
  }
}
