import type { GrantableRights } from '#build';
import { invalidArgument } from '#kernel';
import type { SettingsReader } from './settings-reader.ts';

/** Docker's defaults: the host's network and devices may be granted, all privileges not. */
const defaults: Readonly<Record<string, boolean>> = {
  'network-host': true,
  'security-insecure': false,
  device: true,
};

/** The builder's settings. Throws invalidArgument. */
export function builderSettings(read: SettingsReader): { readonly grantable: GrantableRights } {
  const given = read.pairs('builderEntitlements');
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) throw invalidArgument(`unknown builder entitlement ${name}`);
    if (!['true', 'false', 'null'].includes(value)) {
      throw invalidArgument(`invalid builder entitlement ${name}=${value}: use true or false`);
    }
  }
  const allowed = (name: string): boolean =>
    given[name] === 'true' || (given[name] !== 'false' && defaults[name] === true);
  return {
    grantable: {
      networkHost: allowed('network-host'),
      securityInsecure: allowed('security-insecure'),
      device: allowed('device'),
    },
  };
}
