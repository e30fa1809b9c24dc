import { defineCommand, exactly } from '../../command.ts';
import { addressWord, int, linkWord, list, string } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Connect a container to a network',
  arguments: exactly(2),
  flags: {
    alias: list('Further name in the network'),
    'driver-opt': list('Option of the network driver'),
    'gw-priority': int('Of several networks the one with the highest priority gives the default route'),
    ip: string('IPv4 address (172.30.100.104)'),
    ip6: string('IPv6 address (2001:db8::33)'),
    link: list('Container to link to', { check: linkWord }),
    'link-local-ip': list('Link-local address', { check: addressWord }),
  },
  async run(context, { flags, args: [network = '', Container = ''] }) {
    const ipam = flags.ip !== '' || flags.ip6 !== '' || flags['link-local-ip'].length > 0;
    const options = Object.fromEntries(
      flags['driver-opt'].map((text) => {
        const at = text.indexOf('=');
        if (at < 0) throw new Error('invalid key/value pair format in driver options');
        return [text.slice(0, at), text.slice(at + 1)];
      }),
    );
    await context.engine.done({
      method: 'POST',
      path: `/networks/${encodeURIComponent(network)}/connect`,
      json: {
        Container,
        EndpointConfig: {
          IPAMConfig: ipam
            ? {
                ...(flags.ip !== '' && { IPv4Address: flags.ip }),
                ...(flags.ip6 !== '' && { IPv6Address: flags.ip6 }),
                ...(flags['link-local-ip'].length > 0 && { LinkLocalIPs: flags['link-local-ip'] }),
              }
            : null,
          Links: flags.link.length > 0 ? flags.link : null,
          Aliases: flags.alias.length > 0 ? flags.alias : null,
          DriverOpts: options,
          GwPriority: flags['gw-priority'],
        },
      },
    });
  },
});
