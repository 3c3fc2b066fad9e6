/** P1: a byte of TCP's urgent data in the middle of a CONNECT. Node's sockets cannot send one; Perl is part of every Debian. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startBroker } from '../kit/broker.ts';
import { configFor } from '../kit/config.ts';
import { startLimpet } from '../kit/limpet.ts';
import { relayKinds } from '../kit/relay_kind.ts';
import { connectOfLength } from '../unit/preread/connect_bytes.ts';

const run = promisify(execFile);
const TIMES = 20;
const MSG_OOB = 1;
const CONNACK_BYTES = 4;

/** Answers how many bytes the clients got, together. */
const CLIENTS = `
use IO::Socket::INET;
my ($port, $times, $hex, $oob, $most) = @ARGV;
my $connect = pack('H*', $hex);
my $got = 0;
for (1..$times) {
  my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp') or die $!;
  send($socket, substr($connect, 0, 10) . '!', $oob) or die $!;
  send($socket, substr($connect, 10), 0) or die $!;
  alarm 5;
  sysread($socket, my $answer, $most) or die "no answer";
  $got += length $answer;
}
print $got;
`;

test.each(relayKinds)('a CONNECT goes on behind an urgent byte (%s relay)', async relay => {
  await using broker = await startBroker();
  await using limpet = await startLimpet(configFor({ servers: [broker.port], workers: 1, global: { relay } }));
  const connect = connectOfLength(4, 60).toString('hex');
  const words = [limpet.port('mqtt'), TIMES, connect, MSG_OOB, CONNACK_BYTES].map(String);
  const { stdout } = await run('perl', ['-e', CLIENTS, ...words]);
  expect(Number(stdout)).toBe(TIMES * CONNACK_BYTES);
});
