import type { HostPlan } from './host_plan.ts';
import type { VirtualAddress } from './words.ts';

/**
 * keepalived.conf for one host of the pair. Every value in it has been checked to be free of keepalived's own signs.
 * The lines `# limpet-…` are for deploy/keepalived/limpet-keepalived.
 */
export function keepalivedConf(plan: HostPlan): string {
  const parts = [head(plan), facts(plan), globalDefs(plan), trackFile(plan), instance(plan)];
  return `${parts.map(lines => lines.join('\n')).join('\n\n')}\n`;
}

function head(plan: HostPlan): readonly string[] {
  const where = plan.address === null ? 'one of the two hosts' : `the host ${plan.address}`;
  return [
    `# keepalived.conf for ${where} that share${plan.address === null ? '' : 's'} ${vipsOf(plan).map(written).join(', ')}.`,
    '# Made by `limpet keepalived`; make it anew rather than edit it. docs/high-availability.md says more.',
    '# Both hosts need the same virtual addresses, router id and advert interval, and different priorities.',
  ];
}

function facts(plan: HostPlan): readonly string[] {
  return [
    '# For limpet-keepalived, which runs keepalived with this file:',
    `# limpet-instance: ${plan.name}`,
    `# limpet-track: ${plan.trackFile}`,
    `# limpet-fifo: ${plan.notifyFifo}`,
    ...vipsOf(plan).map(vip => `# limpet-vip: ${written(vip)} dev ${plan.interfaceName}`),
  ];
}

function globalDefs(plan: HostPlan): readonly string[] {
  return block('global_defs', [
    '# Adverts below a second exist in version 3 only.',
    'vrrp_version 3',
    '',
    '# Adverts must leave in time while the host is busy, or the other host takes over: real-time scheduling for the',
    '# process that sends them, and its memory is never swapped out. Should it run wild, the kernel ends it after a',
    '# second of CPU without a pause, and limpet-keepalived starts it again.',
    'vrrp_rt_priority 50',
    'vrrp_rlimit_rttime 1000000',
    'vrrp_no_swap',
    '# It has the highest priority that is wanted: none needs to be found.',
    'max_auto_priority -1',
    '',
    '# Who is master goes to Limpet through this FIFO, which Limpet makes. Nothing else is run or sent: no script, no mail.',
    'script_user root',
    'enable_script_security',
    `vrrp_notify_fifo ${plan.notifyFifo}`,
  ]);
}

function trackFile({ name, trackFile: file }: HostPlan): readonly string[] {
  return block(`track_file ${name}`, [
    '# Limpet writes 0 here when it can serve, and 1 when it cannot; with weight 0 every number but 0 is a fault. Limpet',
    '# writes anew at its every start; init_file says "cannot" where there is no file, and leaves one that is there alone.',
    `file "${file}"`,
    'weight 0',
    'init_file 1',
  ]);
}

function instance(plan: HostPlan): readonly string[] {
  return block(`vrrp_instance ${plan.name}`, [
    '# Neither host is the better one: who has the addresses keeps them until it fails, for each move cuts all sessions.',
    'state BACKUP',
    'nopreempt',
    '',
    '# A link that is down is a fault, at once. keepalived watches its own interface without being told.',
    `interface ${plan.interfaceName}`,
    ...trackedInterfaces(plan),
    '',
    '# The same on both hosts, and no other pair on this network may have it.',
    `virtual_router_id ${plan.routerId}`,
    '',
    ...timing(plan),
    '',
    ...transport(plan),
    '',
    ...announcements(),
    '',
    ...block('track_file', [plan.name]),
    '',
    ...block(
      'virtual_ipaddress',
      plan.advertised.map(vip => addressLine(vip, plan)),
    ),
    ...companions(plan),
  ]);
}

function timing({ advertMs, priority }: HostPlan): readonly string[] {
  const skewMs = ((256 - priority) / 256) * advertMs;
  return [
    `# An advert each ${advertMs} ms. This host takes over ${shortMs(3 * advertMs + skewMs)} ms after the other's last one (three intervals and`,
    `# (256 - priority) / 256 of one), or ${shortMs(skewMs)} ms after its farewell. So the priorities are high; they differ, lest both`,
    '# hosts end their waiting at the same moment, and where both have the addresses the lower one lets go.',
    `advert_int ${advertMs / 1_000}`,
    `priority ${priority}`,
  ];
}

function transport(plan: HostPlan): readonly string[] {
  const source = plan.family === 4 ? 'mcast_src_ip' : null;
  if (!plan.isUnicast) {
    const from = plan.address !== null && source !== null ? [`${source} ${plan.address}`] : [];
    const group = plan.family === 4 ? '224.0.0.18' : 'ff02::12, from the link-local address of the interface';
    return [`# Adverts go to the multicast group ${group}.`, ...from];
  }
  return [
    '# Adverts go to the other host only, and only from it are they taken. The hop limit of 255 (RFC 5082) shows that no',
    '# router lies between: nobody from afar can feign one. Without its own address a host is in fault.',
    `unicast_src_ip ${plan.address}`,
    'track_src_ip',
    ...block('unicast_peer', [`${plan.peer} min_ttl 255`]),
    'unicast_ttl 255',
    'check_unicast_src',
  ];
}

function announcements(): readonly string[] {
  return [
    '# The network hears of the move at once: five gratuitous ARPs (neighbour advertisements for IPv6), five more a second',
    '# later, then one each 10 s, for who was away meanwhile. After two hosts had the addresses, the right one tells again.',
    'garp_master_repeat 5',
    'garp_master_delay 1',
    'garp_master_refresh 10',
    'garp_master_refresh_repeat 1',
    'garp_lower_prio_repeat 5',
    'garp_lower_prio_delay 1',
    'higher_prio_send_advert true',
  ];
}

function trackedInterfaces({ trackInterfaces }: HostPlan): readonly string[] {
  if (trackInterfaces.length === 0) return [];
  return ['# And so are these.', ...block('track_interface', trackInterfaces)];
}

function companions(plan: HostPlan): readonly string[] {
  if (plan.companions.length === 0) return [];
  return [
    `# They move with the others. Adverts cannot name them, for one advert holds one family.`,
    ...block(
      'virtual_ipaddress_excluded',
      plan.companions.map(vip => addressLine(vip, plan)),
    ),
  ];
}

/**
 * IPv6 would choose a virtual address as the source of connections to the brokers, which would break when it moves; one
 * whose preferred time is over serves who comes, and is not chosen. Linux does not choose IPv4's, which come second.
 */
function addressLine(vip: VirtualAddress, plan: HostPlan): string {
  const lifetime = vip.family === 6 ? ' preferred_lft 0' : '';
  return `${written(vip)} dev ${plan.interfaceName}${lifetime}`;
}

function vipsOf(plan: HostPlan): readonly VirtualAddress[] {
  return [...plan.advertised, ...plan.companions];
}

function written({ address, prefix }: VirtualAddress): string {
  return `${address}/${prefix}`;
}

function shortMs(ms: number): string {
  return String(Math.round(ms * 10) / 10);
}

function block(name: string, lines: readonly string[]): readonly string[] {
  return [`${name} {`, ...lines.map(line => (line === '' ? '' : `  ${line}`)), '}'];
}
