import { readFlags } from './flags.ts';
import { quoted } from './go-text.ts';
import type { CommandLineForm, NetworkMode, RunInstruction, SecurityMode } from './instruction.ts';
import type { InstructionNode } from './instruction-node.ts';
import { DockerfileError } from './location.ts';
import { commonOf } from './read-common.ts';
import { mountOrigin, parseDevice } from './run-mount.ts';

export const shellForm = ({ words, json }: InstructionNode): CommandLineForm => ({ words, shell: !json });

const isNetworkMode = (value: string): value is NetworkMode =>
  value === 'default' || value === 'none' || value === 'host';
const isSecurityMode = (value: string): value is SecurityMode => value === 'sandbox' || value === 'insecure';

export function readRun(node: InstructionNode): RunInstruction {
  const flags = readFlags(node.flags, {
    mount: 'texts',
    network: 'text',
    security: 'text',
    device: 'texts',
  });
  // What depends on variables is read when they are known; the rest must be right at once.
  flags.mount.forEach(mountOrigin);
  const devices = flags.device.map(parseDevice);
  const network = flags.network ?? 'default';
  if (!isNetworkMode(network)) throw new DockerfileError(`invalid network mode ${quoted(network)}`);
  const security = flags.security ?? 'sandbox';
  if (!isSecurityMode(security)) throw new DockerfileError(`security ${quoted(security)} is not valid`);
  return {
    kind: 'run',
    ...commonOf(node),
    command: shellForm(node),
    files: node.heredocs.map(({ name, content, chomp }) => ({ name, content, chomp })),
    mounts: flags.mount,
    network,
    security,
    devices,
  };
}
