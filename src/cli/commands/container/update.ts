import type { ContainerUpdateResponse, RestartPolicy } from '#api/types';
import { atLeast, defineCommand } from '../../command.ts';
import { bytes, cpus, int, string, swapBytes, uint16 } from '../../flags/index.ts';
import { containerPath, forEach } from '../each.ts';
import { parseRestart } from './restart-policy.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Change the limits of one or more containers',
  aliases: ['container update', 'update'],
  arguments: atLeast(1),
  flags: {
    'blkio-weight': uint16('Relative weight of block I/O, 10 to 1000; 0 for none'),
    'cpu-period': int('Period of the CPU quota, in microseconds'),
    'cpu-quota': int('CPU time for each period, in microseconds'),
    'cpu-rt-period': int('Period of the realtime CPU limit, in microseconds'),
    'cpu-rt-runtime': int('Realtime CPU limit, in microseconds'),
    'cpu-shares': int('Relative weight of CPU time', { short: 'c' }),
    cpus: cpus('Number of CPUs'),
    'cpuset-cpus': string('CPUs that may be used (0-3, 0,1)'),
    'cpuset-mems': string('Memory nodes that may be used (0-3, 0,1)'),
    'kernel-memory': bytes('No longer has an effect', { hidden: true }),
    memory: bytes('Memory limit', { short: 'm' }),
    'memory-reservation': bytes('Soft memory limit'),
    'memory-swap': swapBytes('Limit of memory plus swap; -1 for unlimited swap'),
    'pids-limit': int('Most processes; -1 for unlimited'),
    restart: string('What to do when the program ends'),
  },
  async run(context, { flags, changed, args }) {
    if (changed.size === 0) throw new Error('you must provide one or more flags when using this command');
    const RestartPolicy: RestartPolicy = flags.restart === '' ? {} : parseRestart(flags.restart);
    const json = {
      BlkioWeight: flags['blkio-weight'],
      CpusetCpus: flags['cpuset-cpus'],
      CpusetMems: flags['cpuset-mems'],
      CpuShares: flags['cpu-shares'],
      Memory: flags.memory,
      MemoryReservation: flags['memory-reservation'],
      MemorySwap: flags['memory-swap'],
      CpuPeriod: flags['cpu-period'],
      CpuQuota: flags['cpu-quota'],
      CpuRealtimePeriod: flags['cpu-rt-period'],
      CpuRealtimeRuntime: flags['cpu-rt-runtime'],
      NanoCpus: flags.cpus,
      ...(changed.has('pids-limit') && { PidsLimit: flags['pids-limit'] }),
      RestartPolicy,
    };
    const warnings: string[] = [];
    try {
      await forEach(context, args, async (name) => {
        const answer = await context.engine.json<ContainerUpdateResponse>({
          method: 'POST',
          path: `${containerPath(name)}/update`,
          json,
        });
        warnings.push(...(answer.Warnings ?? []));
        return name;
      });
    } finally {
      if (warnings.length > 0) context.out.write(`${warnings.join('\n')}\n`);
    }
  },
});
