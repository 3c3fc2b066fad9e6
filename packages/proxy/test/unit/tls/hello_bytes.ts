/** ClientHellos: real ones, as Node's OpenSSL writes them, and made ones, part by part. */
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';

/** What Node sends first for these options. No socket is opened. */
export async function realHello(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(Buffer.from(chunk));
        done();
      },
    });
    const socket = connect({ ...options, socket: wire });
    socket.on('error', reject);
    wire.once('close', () => socket.destroy());
  });
}

function vector(lengthSize: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(lengthSize);
  length.writeUIntBE(body.length, 0, lengthSize);
  return Buffer.concat([length, body]);
}

export function extension(type: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 0xff]), vector(2, ...parts)]);
}

/** RFC 6066, 3. */
export function serverName(...names: readonly (string | Buffer)[]): Buffer {
  const entries = names.map(name => Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))]));
  return extension(0, vector(2, ...entries));
}

/** RFC 7301, 3.1. */
export function alpn(...names: readonly string[]): Buffer {
  return extension(16, vector(2, ...names.map(name => vector(1, Buffer.from(name)))));
}

/** The message of the handshake; null: without extensions at all. */
export function message(extensions: readonly Buffer[] | null): Buffer {
  const parts = [
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32)),
    vector(2, Buffer.from([0x0a, 0x0a, 0x13, 1])),
  ];
  const body = [...parts, vector(1, Buffer.from([0])), ...(extensions === null ? [] : [vector(2, ...extensions)])];
  return Buffer.concat([Buffer.from([1]), vector(3, ...body)]);
}

/** Records of at most so many bytes each. */
export function records(handshake: Buffer, most: number = 2 ** 14): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < handshake.length; at += most) {
    const fragment = handshake.subarray(at, at + most);
    parts.push(Buffer.from([22, 3, 1]), vector(2, fragment));
  }
  return Buffer.concat(parts);
}

export function hello(...extensions: readonly Buffer[]): Buffer {
  return records(message(extensions));
}
