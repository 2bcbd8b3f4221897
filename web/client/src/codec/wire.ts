const sizeFirst = 64;
const varintBytesMax = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes the base types of protobuf's wire format. */
export class Writer {
  #buffer = new Uint8Array(sizeFirst);
  #length = 0;

  /** A whole number from 0 to 2^53-1; bit operators end at 2^32. */
  varint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#byte((rest % 0x80) | 0x80);
    return this.#byte(rest);
  }

  double(value: number): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    return this.#raw(bytes);
  }

  /** Bytes with their length before them. */
  bytes(value: Uint8Array): this {
    return this.varint(value.length).#raw(value);
  }

  text(value: string): this {
    return this.bytes(encoder.encode(value));
  }

  /** What was written. */
  taken(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  #byte(value: number): this {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  #raw(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  #reserve(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(wanted, 2 * this.#buffer.length));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/** Reads the base types of protobuf's wire format. Throws where the bytes end too early or a number is too large to be exact. */
export class Reader {
  readonly #data: Uint8Array;
  #at = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#data.length;
  }

  varint(): number {
    let value = 0;
    for (let i = 0; i < varintBytesMax; i++) {
      const byte = this.#data[this.#at++];
      if (byte === undefined) throw new RangeError("bellwire: the message ends too early");
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break; // MSG-7
        return value;
      }
    }
    throw new RangeError("bellwire: a number beyond 2^53-1");
  }

  /** Bytes with their length before them; a view of what is read. */
  bytes(): Uint8Array {
    return this.take(this.varint());
  }

  text(): string {
    return decoder.decode(this.bytes());
  }

  take(length: number): Uint8Array {
    if (length > this.#data.length - this.#at) throw new RangeError("bellwire: the message ends too early");
    this.#at += length;
    return this.#data.subarray(this.#at - length, this.#at);
  }
}
