/**
 * What systemd is told (sd_notify), without systemd.
 */
import { type Process, startProcess } from './process.ts';

/** A service manager that prints each datagram as one line. socat cannot be one: it keeps the descriptors it is sent. */
const RECEIVER = `
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die $!;
(my $name = $ARGV[0]) =~ s/^@/\\0/;
bind($s, sockaddr_un($name)) or die $!;
syswrite STDOUT, "bound\\n";
while (defined recv($s, my $text, 65536, 0)) { $text =~ s/\\n/ | /g; syswrite STDOUT, "$text\\n" }`;

export async function startManager(socket: string): Promise<Process> {
  const manager = startProcess('perl', ['-MSocket', '-e', RECEIVER, socket]);
  await manager.waitForLine(/^bound$/);
  return manager;
}

/** What it was told. systemd-notify also asks whether it has been read. */
export function told(manager: Process): readonly string[] {
  const texts = manager.lines.map(({ text }) => text.replace(/(MONOTONIC_USEC)=[0-9]+/, '$1=…'));
  return texts.filter(text => text !== 'bound' && text !== 'BARRIER=1');
}
