/** The shell command that shows a file of the container's own control group, of a v1 controller or the v2 tree. */
export const cgroupFile = (v1: string, v2: string): string =>
  `if [ -e /sys/fs/cgroup/${v1} ]; then cat /sys/fs/cgroup/${v1}; else cat /sys/fs/cgroup/${v2}; fi`;
