import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '#kernel';
import { listLinks, NetlinkSocket, removeNetns } from '#linux';
import { removeBridge } from './bridge-link.ts';
import { NftablesFirewall } from './firewall.ts';
import { relinquishForwarding } from './forwarding.ts';
import { linkAlias, tableName, type NetworksOptions } from './networks-options.ts';

/**
 * Removes what an instance has on the host: namespaces, bridges, the packet filter's table, and forwarding where nobody
 * else can rely on it. For a daemon that ends with no live container, after its Networks were disposed of. Records stay.
 */
export async function teardown(
  options: Pick<NetworksOptions, 'instance' | 'runFolder' | 'iptables'>,
): Promise<void> {
  const folder = join(options.runFolder, 'netns');
  for (const name of filesIn(folder)) removeNetns(join(folder, name));
  using socket = new NetlinkSocket('route');
  const alias = linkAlias(options.instance);
  for (const link of listLinks(socket)) {
    if (link.kind === 'bridge' && link.alias === alias) await removeBridge(link.name, alias);
  }
  if (options.iptables === false) return;
  using firewall = new NftablesFirewall(tableName(options.instance));
  firewall.clear();
  relinquishForwarding(socket);
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
